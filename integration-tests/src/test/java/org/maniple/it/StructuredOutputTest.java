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

/** What a model says under a schema is valid, and the same on every layout. */
class StructuredOutputTest {

    private static final int REQUESTS = 8;
    private static final String SCHEMA = """
            {"type":"object","properties":{"name":{"type":"string","maxLength":8},"size":{"type":"number","minimum":-2,"maximum":9.5},
            "tags":{"type":"array","items":{"enum":["x","ü","🌍"]},"minItems":1,"maxItems":2},"ok":{"type":"boolean"}},
            "required":["name","size","tags"],"additionalProperties":false}""";

    /** What one request came to. */
    private static final class Answer {

        final StringBuilder text = new StringBuilder();
        final CountDownLatch ended = new CountDownLatch(1);
        volatile String reason = "";

        void accept(GenerationEvent event) {
            switch (event) {
                case GenerationEvent.Tokens tokens -> text.append(tokens.text());
                case GenerationEvent.Finished finished -> end(finished.reason().name(), finished.text());
                case GenerationEvent.Failed failed -> end(failed.message(), "");
                case GenerationEvent.Prompt prompt -> {
                    // Not asked for.
                }
                case GenerationEvent.Embedding vector -> {
                    // Nor this.
                }
            }
        }

        private void end(String how, String rest) {
            text.append(rest);
            reason = how;
            ended.countDown();
        }

        @Override
        public String toString() {
            return reason + ": " + text;
        }
    }

    @Test
    void answersAreValidAndTheSameOnEveryLayout() throws InterruptedException {
        List<String> expected = answers(Layout.of(1, 1));
        int stopped = 0;
        for (String answer : expected) {
            if (answer.startsWith(FinishReason.STOP.name())) {
                check(new JsonMapper().readTree(answer.substring(answer.indexOf('{'))));
                stopped++;
            }
        }
        assertThat(stopped).as("of %s", expected).isGreaterThanOrEqualTo(REQUESTS / 2);
        assertThat(answers(Layout.of(2, 1))).isEqualTo(expected);
        assertThat(answers(Layout.of(1, 2))).isEqualTo(expected);
        assertThat(answers(Layout.of(1, 1).replicas(2))).isEqualTo(expected);
    }

    private static void check(JsonNode value) {
        assertThat(value.propertyNames()).isSubsetOf("name", "size", "tags", "ok").contains("name", "size", "tags");
        assertThat(value.get("name").asString().codePoints().count()).isLessThanOrEqualTo(8);
        assertThat(value.get("size").asDouble()).isBetween(-2.0, 9.5);
        assertThat(value.get("tags").values()).hasSizeBetween(1, 2)
                .allSatisfy(tag -> assertThat(tag.asString()).isIn("x", "ü", "🌍"));
    }

    /** Several at once, so that they share steps, with prompts of different lengths that come in chunks. */
    private static List<String> answers(Layout layout) throws InterruptedException {
        Path model = Oracles.directory().resolve("gguf").resolve("llama-f32.gguf");
        TextCodec codec = new HfTokenizerProvider().load(new GgufFormat().companions(model).orElseThrow(),
                new TestContext(new MapSettings(Map.of(), List.of())));
        var limits = new StepBatch.Limits(16, REQUESTS, 512, REQUESTS, 16, 1);
        try (var unit = new VirtualUnit(model, layout.with("numerics", "exact", ""), limits, 256)) {
            int candidates = unit.program().graph().candidates().dims().getLast().extent() / 2 - 1;
            var info = new ModelInfo(List.of("demo"), model.toString(), "Llama", unit.program().graph().vocabulary(), 256,
                    List.of(codec.id("</s>").orElseThrow()), VirtualUnit.config(model));
            var engine = new UnitEngine(info, Optional.of(codec), new LentPipeline(unit.pipeline()),
                    new EngineOptions(16, REQUESTS, 0, 20, 256, OptionalLong.of(1), candidates),
                    () -> new UnitStatus(true, List.of(), 1, List.of(), List.of(), Map.of(), 0, 0, 0, 0, List.of()),
                    Optional::empty, "test");
            engine.start();
            var answers = new ArrayList<Answer>();
            for (int i = 0; i < REQUESTS; i++) {
                var answer = new Answer();
                answers.add(answer);
                int[] prompt = codec.encode("An answer, please. ".repeat(1 + i % 3), true);
                engine.submit(new GenerationRequest("request " + i, prompt, sampling(i), OptionalInt.empty()), answer::accept);
            }
            for (Answer answer : answers) {
                assertThat(answer.ended.await(100, TimeUnit.SECONDS)).as("the end of the output").isTrue();
            }
            engine.close(Duration.ofSeconds(30));
            return answers.stream().map(Answer::toString).toList();
        }
    }

    private static Sampling sampling(int seed) {
        return new Sampling(OptionalInt.of(120), 0, seed % 4 == 0 ? 0 : 1.5, 1, 0, 0, 1, 0, 0, OptionalLong.of(seed), Map.of(),
                List.of(), List.of(), List.of(), false, List.of(), false, OptionalInt.empty(), OptionalInt.empty(), true,
                Optional.of(new OutputConstraint.Schema(SCHEMA, seed % 2 == 0)));
    }
}
