package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.Pooling;
import org.maniple.api.engine.Sampling;
import org.maniple.api.engine.UnitStatus;
import org.maniple.kernel.engine.EngineOptions;
import org.maniple.kernel.engine.UnitEngine;
import org.maniple.kernel.step.StepBatch;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Vectors of prompts are what the reference knows at their tokens, on every layout, whatever shares their steps. */
class EmbeddingsTest {

    private static final int BLOCK = 4;
    private static final int BLOCKS = 96;
    /** For one of the longest prompt and little more. */
    private static final int FEW_BLOCKS = 18;
    private static final Path MODEL = Oracles.committed();
    private static final List<Expected.Prompt> PROMPTS = new Expected(MODEL).prompts().stream()
            .filter(prompt -> prompt.ids().length < 60).toList();

    /** What one request came to. */
    private static final class Answer {

        private final CountDownLatch ended = new CountDownLatch(1);
        private volatile float[] vector = {};
        private volatile String problem = "";
        private volatile int tokens;
        private volatile int cached;

        void accept(GenerationEvent event) {
            switch (event) {
                case GenerationEvent.Embedding(float[] values) -> vector = values;
                case GenerationEvent.Tokens some -> tokens += some.tokens().size();
                case GenerationEvent.Finished finished -> {
                    cached = finished.cachedTokens();
                    ended.countDown();
                }
                case GenerationEvent.Failed failed -> {
                    problem = failed.message();
                    ended.countDown();
                }
                case GenerationEvent.Prompt prompt -> {
                    // Not asked for.
                }
            }
        }

        float[] await() throws InterruptedException {
            assertThat(ended.await(100, TimeUnit.SECONDS)).as("the end of the request").isTrue();
            assertThat(problem).isEmpty();
            return vector;
        }
    }

    private static Map<Pooling, List<float[]>> ofOneRank;

    @BeforeAll
    static void findThoseOfOneRank() throws InterruptedException {
        ofOneRank = vectors(Layout.of(1, 1), BLOCKS);
    }

    static Stream<Layout> layouts() {
        return Stream.of(Layout.of(2, 1), Layout.of(1, 2), Layout.of(2, 2), Layout.of(1, 1).replicas(2),
                Layout.of(2, 1).attentionOf(2));
    }

    /** The head is the embedding here: what it makes of the vector are the reference's logits. */
    @Test
    void theHeadMakesTheReferencesLogitsOfThem() throws Exception {
        float[][] head = embedding(MODEL.resolve("model.safetensors"));
        var expected = new Expected(MODEL);
        List<float[]> vectors = ofOneRank.get(Pooling.LAST);
        for (int i = 0; i < PROMPTS.size(); i++) {
            float[] logits = expected.rows("logits." + PROMPTS.get(i).name())[0];
            for (int token = 0; token < head.length; token++) {
                double sum = 0;
                for (int j = 0; j < head[token].length; j++) {
                    sum += (double) head[token][j] * vectors.get(i)[j];
                }
                assertThat(sum).as("%s, token %d", PROMPTS.get(i).name(), token).isCloseTo(logits[token], within(2e-3));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void theyHaveTheSameBitsOnEveryLayoutAndWithFewBlocks(Layout layout) throws InterruptedException {
        Map<Pooling, List<float[]>> found = vectors(layout, FEW_BLOCKS);
        for (Pooling pooling : Pooling.values()) {
            assertThat(bits(found.get(pooling))).isEqualTo(bits(ofOneRank.get(pooling)));
        }
    }

    /** As models for embeddings are published: names without their beginning, no head, and another name of the architecture. */
    @Test
    void aModelThatWasSavedWithoutItsHeadHasThem(@TempDir Path folder) throws Exception {
        byte[] bytes = Files.readAllBytes(MODEL.resolve("model.safetensors"));
        int length = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        String header = new String(bytes, 8, length, StandardCharsets.UTF_8);
        byte[] shorter = header.replace("\"model.", "\"").getBytes(StandardCharsets.UTF_8);
        byte[] fitting = Arrays.copyOf(shorter, length);
        Arrays.fill(fitting, shorter.length, length, (byte) ' ');
        System.arraycopy(fitting, 0, bytes, 8, length);
        Files.write(folder.resolve("model.safetensors"), bytes);
        Files.writeString(folder.resolve("config.json"), Files.readString(MODEL.resolve("config.json"))
                .replace("LlamaForCausalLM", "LlamaModel")
                .replaceFirst("\"tie_word_embeddings\": *true", "\"tie_word_embeddings\": false"));
        int[] prompt = PROMPTS.getFirst().ids();
        var limits = new StepBatch.Limits(24, 6, 512, 10, BLOCK, 1);
        try (var unit = new VirtualUnit(folder, Layout.of(2, 1).with("numerics", "exact", ""), limits, BLOCKS)) {
            UnitEngine engine = engine(unit, BLOCKS);
            assertThat(bits(List.of(ask(engine, "headless", prompt, Pooling.LAST).await())).getFirst())
                    .isEqualTo(bits(ofOneRank.get(Pooling.LAST)).getFirst());
            engine.close(Duration.ofSeconds(30));
        }
    }

    @Test
    void theMeanIsThatOfTheVectorsOfAllBeginnings() throws InterruptedException {
        int[] prompt = PROMPTS.stream().filter(each -> each.ids().length == 18).findFirst().orElseThrow().ids();
        try (var unit = unit(Layout.of(1, 1))) {
            UnitEngine engine = engine(unit, BLOCKS);
            double[] mean = new double[64];
            for (int length = 1; length <= prompt.length; length++) {
                float[] last = ask(engine, "last " + length, Arrays.copyOf(prompt, length), Pooling.LAST).await();
                for (int i = 0; i < mean.length; i++) {
                    mean[i] += last[i] / (double) prompt.length;
                }
            }
            float[] vector = ask(engine, "mean", prompt, Pooling.MEAN).await();
            for (int i = 0; i < mean.length; i++) {
                assertThat((double) vector[i]).isCloseTo(mean[i], within(1e-5));
            }
            engine.close(Duration.ofSeconds(30));
        }
    }

    @Test
    void aPromptWhoseBeginningIsKnownGivesTheSameVector() throws InterruptedException {
        int[] prompt = PROMPTS.stream().filter(each -> each.ids().length == 49).findFirst().orElseThrow().ids();
        try (var unit = unit(Layout.of(1, 1))) {
            UnitEngine engine = engine(unit, BLOCKS);
            float[] first = ask(engine, "first", prompt, Pooling.LAST).await();
            Answer again = ask(engine, "again", prompt, Pooling.LAST);
            assertThat(again.await()).containsExactly(first);
            assertThat(again.cached).isPositive();
            float[] mean = ask(engine, "mean", prompt, Pooling.MEAN).await();
            engine.resetPrefixCache();
            assertThat(ask(engine, "alone", prompt, Pooling.MEAN).await()).containsExactly(mean);
            engine.close(Duration.ofSeconds(30));
        }
    }

    /** With requests that generate in between, in as many batches as fit, and so few blocks that some have to give theirs up. */
    private static Map<Pooling, List<float[]>> vectors(Layout layout, int blocks) throws InterruptedException {
        try (var unit = unit(layout)) {
            UnitEngine engine = engine(unit, blocks);
            Map<Pooling, List<Answer>> vectors = new EnumMap<>(Pooling.class);
            var others = new ArrayList<Answer>();
            for (Expected.Prompt prompt : PROMPTS) {
                for (Pooling pooling : Pooling.values()) {
                    vectors.computeIfAbsent(pooling, p -> new ArrayList<>())
                            .add(ask(engine, pooling + " " + prompt.name(), prompt.ids(), pooling));
                }
                var other = new Answer();
                others.add(other);
                engine.submit(new GenerationRequest("g " + prompt.name(), prompt.ids(), Sampling.greedy(6), OptionalInt.empty()),
                        other::accept);
            }
            Map<Pooling, List<float[]>> found = new EnumMap<>(Pooling.class);
            for (Pooling pooling : Pooling.values()) {
                for (Answer answer : vectors.getOrDefault(pooling, List.of())) {
                    found.computeIfAbsent(pooling, p -> new ArrayList<>()).add(answer.await());
                    assertThat(answer.tokens).isZero();
                }
            }
            for (Answer other : others) {
                other.await();
                assertThat(other.tokens).isEqualTo(6);
            }
            engine.close(Duration.ofSeconds(30));
            return found;
        }
    }

    private static VirtualUnit unit(Layout layout) {
        return new VirtualUnit(MODEL, layout.with("numerics", "exact", ""), new StepBatch.Limits(24, 6, 512, 10, BLOCK, 1),
                BLOCKS);
    }

    private static Answer ask(UnitEngine engine, String id, int[] prompt, Pooling pooling) {
        var answer = new Answer();
        engine.submit(new GenerationRequest(id, prompt, Sampling.greedy(1)).pooled(pooling), answer::accept);
        return answer;
    }

    private static UnitEngine engine(VirtualUnit unit, int blocks) {
        int candidates = unit.program().graph().candidates().dims().getLast().extent() / 2 - 1;
        var info = new ModelInfo(List.of("demo"), MODEL.toString(), "Llama", unit.program().graph().vocabulary(), 128, List.of(),
                VirtualUnit.config(MODEL));
        var engine = new UnitEngine(info, Optional.empty(), new LentPipeline(unit.pipeline()),
                new EngineOptions(24, 6, 0, 100, blocks, OptionalLong.of(1), candidates),
                () -> new UnitStatus(true, List.of(), 1, List.of(), List.of(), Map.of(), 0, 0, 0, 0, List.of()), Optional::empty,
                "test");
        engine.start();
        return engine;
    }

    private static List<List<Integer>> bits(List<float[]> vectors) {
        return vectors.stream().map(vector -> Arrays.stream(Sequences.bits(vector)).boxed().toList()).toList();
    }

    /** Read by itself, not with the code under test. */
    private static float[][] embedding(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int length = (int) bytes.getLong(0);
        JsonNode header = new JsonMapper().readTree(new String(bytes.array(), 8, length, StandardCharsets.UTF_8));
        JsonNode entry = header.get("model.embed_tokens.weight");
        int start = 8 + length + entry.get("data_offsets").get(0).asInt();
        float[][] rows = new float[entry.get("shape").get(0).asInt()][entry.get("shape").get(1).asInt()];
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < rows[i].length; j++) {
                rows[i][j] = Float.intBitsToFloat(bytes.getShort(start + 2 * (i * rows[i].length + j)) << 16);
            }
        }
        return rows;
    }
}
