package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.api.engine.Sampling;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.text.TextCodec;
import org.maniple.checkpoint.gguf.GgufFormat;
import org.maniple.kernel.engine.EngineOptions;
import org.maniple.kernel.engine.UnitEngine;
import org.maniple.kernel.step.StepBatch;
import org.maniple.tokenizer.hf.HfTokenizerProvider;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A model whose weights are random, at temperature 1.5, under ten schemas of the kinds that people send: what ends by itself satisfies somebody
 * else's validator, and nearly everything ends by itself. {@code SchemasIT} does the same with a model that has been trained, over HTTP. How many seeds:
 * {@code -Dmaniple.seeds}, 200 with the profile {@code schemas}.
 */
class AnswersUnderSchemasTest {

    private static final int SEEDS = Integer.getInteger("maniple.seeds", 3);
    private static final int LONGEST = 700;
    private static final int TOGETHER = 30;
    private static final double SHARE = 0.95;

    private static final class Answer {

        private final StringBuilder text = new StringBuilder();
        private final CountDownLatch ended = new CountDownLatch(1);
        private volatile String reason = "";

        void accept(GenerationEvent event) {
            switch (event) {
                case GenerationEvent.Tokens tokens -> text.append(tokens.text());
                case GenerationEvent.Finished finished -> {
                    text.append(finished.text());
                    end(finished.reason().name());
                }
                case GenerationEvent.Failed failed -> end(failed.message());
                case GenerationEvent.Prompt prompt -> {
                    // Not asked for.
                }
                case GenerationEvent.Embedding vector -> {
                    // Nor this.
                }
            }
        }

        private void end(String how) {
            reason = how;
            ended.countDown();
        }
    }

    @Test
    void nearlyAllEndByThemselvesAndThoseAreValid() throws Exception {
        List<JsonNode> schemas = schemas();
        assertThat(schemas).hasSize(10);
        var answers = new ArrayList<Answer>();
        ask(schemas, answers);
        int stopped = 0;
        for (int i = 0; i < answers.size(); i++) {
            Answer answer = answers.get(i);
            JsonNode schema = schemas.get(i % schemas.size());
            assertThat(answer.reason).as("%s: %s", schema.get("name"), answer.text)
                    .isIn(FinishReason.STOP.name(), FinishReason.LENGTH.name());
            if (answer.reason.equals(FinishReason.STOP.name())) {
                stopped++;
                check(schema, answer.text.toString());
            }
        }
        System.out.printf("answers under schemas, random weights: %d of %d ended by themselves, all valid%n", stopped,
                answers.size());
        assertThat(stopped).isGreaterThanOrEqualTo((int) Math.floor(SHARE * answers.size()));
    }

    private static List<JsonNode> schemas() throws IOException {
        try (InputStream in = AnswersUnderSchemasTest.class.getResourceAsStream("/ten-schemas.json")) {
            return new JsonMapper().readTree(Objects.requireNonNull(in)).valueStream().toList();
        }
    }

    private static void check(JsonNode schema, String text) {
        Schema validator = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                .getSchema(schema.get("schema").toString(), InputFormat.JSON);
        assertThat(validator.validate(text, InputFormat.JSON,
                context -> context.executionConfig(config -> config.formatAssertionsEnabled(true))))
                .as("%s: %s", schema.get("name"), text).isEmpty();
    }

    private static void ask(List<JsonNode> schemas, List<Answer> answers) throws InterruptedException {
        Path model = Oracles.directory().resolve("gguf").resolve("llama-f32.gguf");
        TextCodec codec = new HfTokenizerProvider().load(new GgufFormat().companions(model).orElseThrow(),
                new TestContext(new MapSettings(Map.of(), List.of())));
        int blocks = TOGETHER * 64;
        var limits = new StepBatch.Limits(128, TOGETHER, blocks, TOGETHER, 16, 1);
        try (var unit = new VirtualUnit(model, Layout.of(1, 1), limits, blocks)) {
            int candidates = unit.program().graph().candidates().dims().getLast().extent() / 2 - 1;
            var info = new ModelInfo(List.of("demo"), model.toString(), "Llama", unit.program().graph().vocabulary(), 1024,
                    List.of(codec.id("</s>").orElseThrow()), VirtualUnit.config(model));
            var engine = new UnitEngine(info, Optional.of(codec), new LentPipeline(unit.pipeline()),
                    new EngineOptions(128, TOGETHER, 0, SEEDS * schemas.size(), blocks, OptionalLong.of(1), candidates),
                    () -> new UnitStatus(true, List.of(), 1, List.of(), List.of(), Map.of(), 0, 0, 0, 0, List.of()),
                    Optional::empty, "test");
            engine.start();
            for (int i = 0; i < SEEDS * schemas.size(); i++) {
                JsonNode schema = schemas.get(i % schemas.size());
                var answer = new Answer();
                answers.add(answer);
                engine.submit(new GenerationRequest("request " + i, codec.encode(schema.get("prompt").asString(), true),
                        sampling(i / schemas.size(), schema), OptionalInt.empty()), answer::accept);
            }
            for (Answer answer : answers) {
                assertThat(answer.ended.await(600, TimeUnit.SECONDS)).as("the end of the output").isTrue();
            }
            engine.close(Duration.ofSeconds(30));
        }
    }

    private static Sampling sampling(int seed, JsonNode schema) {
        return new Sampling(OptionalInt.of(LONGEST), 0, 1.5, 1, 0, 0, 1, 0, 0, OptionalLong.of(seed), Map.of(),
                List.of(), List.of(), List.of(), false, List.of(), false, OptionalInt.empty(), OptionalInt.empty(), true,
                Optional.of(new OutputConstraint.Schema(schema.get("schema").toString(), false)));
    }
}
