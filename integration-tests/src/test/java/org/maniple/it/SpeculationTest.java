package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.engine.EngineObserver;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.Sampling;
import org.maniple.api.engine.UnitStatus;
import org.maniple.kernel.engine.EngineOptions;
import org.maniple.kernel.engine.Speculation;
import org.maniple.kernel.engine.UnitEngine;
import org.maniple.kernel.step.StepBatch;

/** Requests whose outputs are guessed get the tokens that they get without, on every layout, with shared blocks and with too few of them. */
class SpeculationTest {

    private static final int REQUESTS = 12;
    private static final int SEATS = 8;
    private static final int BLOCK = 16;
    private static final int BLOCKS = 256;
    /** Of each home: less than what the requests at work would have together. */
    private static final int FEW_BLOCKS = 9;
    private static final int ROWS = SEATS * 5;

    private static final Speculation LOOKUP = new Speculation.Lookup(4, 1, 4);
    private static final Speculation LAYER = new Speculation.NextLayer();

    private static final class Guesses implements EngineObserver {

        private final AtomicInteger made = new AtomicInteger();
        private final AtomicInteger accepted = new AtomicInteger();

        @Override
        public void speculated(int home, int tokens, int right) {
            made.addAndGet(tokens);
            accepted.addAndGet(right);
        }
    }

    /** One answer. */
    private static final class Answer {

        private final List<Integer> tokens = new ArrayList<>();
        private final CountDownLatch ended = new CountDownLatch(1);
        private volatile String problem = "";

        void accept(GenerationEvent event) {
            switch (event) {
                case GenerationEvent.Tokens some -> tokens.addAll(some.tokens());
                case GenerationEvent.Finished finished -> ended.countDown();
                case GenerationEvent.Failed failed -> {
                    problem = failed.message();
                    ended.countDown();
                }
                case GenerationEvent.Prompt prompt -> {
                    // Not asked for.
                }
                case GenerationEvent.Embedding vector -> {
                    // Not asked for.
                }
            }
        }

        List<Integer> await() throws InterruptedException {
            assertThat(ended.await(100, TimeUnit.SECONDS)).as("the end of the output").isTrue();
            assertThat(problem).isEmpty();
            return tokens;
        }
    }

    /** Three of them, and all with {@code -Dmaniple.layouts=all}. */
    static Stream<Arguments> units() {
        Path mtp = Oracles.model("deepseek-v3-mtp-bf16");
        Stream<Arguments> some = Stream.of(
                Arguments.of(Oracles.committed(), Layout.of(2, 1), LOOKUP),
                Arguments.of(mtp, Layout.of(2, 2), LAYER),
                Arguments.of(mtp, Layout.of(2, 1).attentionOf(2).experts(), LAYER));
        if (!System.getProperty("maniple.layouts", "").equals("all")) {
            return some;
        }
        return Stream.concat(some, Stream.of(
                // Sliding windows.
                Arguments.of(Oracles.model("mistral-window"), Layout.of(1, 2), LOOKUP),
                Arguments.of(mtp, Layout.of(2, 2), LOOKUP),
                Arguments.of(Oracles.model("qwen3-moe"), Layout.of(2, 1).attentionOf(2).experts(), LOOKUP),
                Arguments.of(mtp, Layout.of(2, 1), LAYER), Arguments.of(mtp, Layout.of(1, 2), LAYER)));
    }

    @ParameterizedTest
    @MethodSource("units")
    void everyRequestGetsTheTokensThatItGetsWithoutGuesses(Path model, Layout layout, Speculation speculation)
            throws InterruptedException {
        boolean layer = speculation instanceof Speculation.NextLayer;
        var limits = new StepBatch.Limits(48, SEATS, 1024, ROWS, BLOCK, 1);
        List<GenerationRequest> requests;
        var expected = new ArrayList<List<Integer>>();
        try (var unit = new VirtualUnit(model, layout, limits, BLOCKS)) {
            requests = requests(unit.program().graph().vocabulary());
            var begin = new CountDownLatch(0);
            UnitEngine plain = engine(unit, model, BLOCKS, Speculation.OFF, begin);
            for (Answer answer : submitAll(plain, requests, begin)) {
                expected.add(answer.await());
            }
            plain.close(Duration.ofSeconds(30));
        }
        try (var unit = new VirtualUnit(model, layer ? layout.withGuesses() : layout, limits, BLOCKS)) {
            for (int blocks : List.of(BLOCKS, FEW_BLOCKS)) {
                var guesses = new Guesses();
                // No step runs before all have come, so that what they share and who must wait does not depend on the machine.
                var begin = new CountDownLatch(REQUESTS);
                UnitEngine guessing = engine(unit, model, blocks, speculation, begin);
                guessing.observe(guesses);
                List<Answer> answers = submitAll(guessing, requests, begin);
                for (int i = 0; i < REQUESTS; i++) {
                    assertThat(answers.get(i).await()).as("request " + i + " with " + blocks + " blocks")
                            .isEqualTo(expected.get(i));
                }
                assertThat(guesses.accepted).hasPositiveValue();
                assertThat(guessing.statistics().preemptions() > 0).as("preemptions with " + blocks + " blocks")
                        .isEqualTo(blocks == FEW_BLOCKS);
                // Of a group it may be the first time that it sees this one.
                for (int home = 0; home < unit.pipeline().limits().homes() && blocks == BLOCKS; home++) {
                    GenerationRequest last = requests.getLast();
                    var again = new GenerationRequest("again " + home, last.prompt(), last.sampling(), OptionalInt.empty());
                    assertThat(submitAll(guessing, List.of(again), begin).getFirst().await()).isEqualTo(expected.getLast());
                }
                assertThat(guessing.statistics().prefixCacheHits() > 0 || blocks == FEW_BLOCKS).isTrue();
                guessing.close(Duration.ofSeconds(30));
            }
        }
    }

    private static List<Answer> submitAll(UnitEngine engine, List<GenerationRequest> requests, CountDownLatch begin) {
        var answers = new ArrayList<Answer>();
        for (GenerationRequest request : requests) {
            var answer = new Answer();
            answers.add(answer);
            engine.submit(request, answer::accept);
            begin.countDown();
        }
        return answers;
    }

    /** Prompts with repeated parts, every fourth like the one before at its beginning; half of them greedy. */
    private static List<GenerationRequest> requests(int vocabulary) {
        var random = new Random(5);
        var requests = new ArrayList<GenerationRequest>();
        for (int i = 0; i < REQUESTS; i++) {
            int[] part = random.ints(1 + random.nextInt(20), 0, vocabulary).toArray();
            int[] prompt = IntStream
                    .concat(IntStream.of(part), IntStream.concat(random.ints(10, 0, vocabulary), IntStream.of(part)))
                    .toArray();
            if (i % 4 == 3) {
                int[] before = requests.get(i - 1).prompt();
                prompt = IntStream.concat(IntStream.of(before), IntStream.of(prompt).limit(20)).toArray();
            }
            requests.add(
                    new GenerationRequest("request " + i, prompt, sampling(20 + random.nextInt(12), i), OptionalInt.empty()));
        }
        return requests;
    }

    private static Sampling sampling(int tokens, int seed) {
        return new Sampling(OptionalInt.of(tokens), 0, seed % 2 == 0 ? 0 : 0.7, seed % 4 == 1 ? 0.9 : 1, seed % 4 == 3 ? 20 : 0,
                0,
                1, 0, 0, OptionalLong.of(seed), Map.of(), List.of(), List.of(), List.of(), false, List.of(), true,
                OptionalInt.empty(), OptionalInt.empty(), true, Optional.empty());
    }

    private static UnitEngine engine(VirtualUnit unit, Path model, int blocks, Speculation speculation, CountDownLatch begin) {
        int candidates = unit.program().graph().candidates().dims().getLast().extent() / 2 - 1;
        var info = new ModelInfo(List.of("demo"), model.toString(), "Llama", unit.program().graph().vocabulary(), 256, List.of(),
                VirtualUnit.config(model));
        var engine = new UnitEngine(info, Optional.empty(), new LentPipeline(unit.pipeline(), begin),
                new EngineOptions(48, SEATS, 0, REQUESTS, blocks, OptionalLong.of(1), candidates,
                        EngineOptions.Scheduling.DEFAULT, speculation),
                () -> new UnitStatus(true, List.of(), 1, List.of(), List.of(), Map.of(), 0, 0, 0, 0, List.of()), Optional::empty,
                "test");
        engine.start();
        return engine;
    }
}
