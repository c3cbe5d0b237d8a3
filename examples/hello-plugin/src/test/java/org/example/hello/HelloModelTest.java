package org.example.hello;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Leaves in {@code target/hello-model} a model that can be served, and beside it, in {@code target/hello-expected.json}, what it must answer.
 */
class HelloModelTest {

    private static final Path TARGET = Path.of("target");
    private static final List<Integer> PROMPT = List.of(1, 17, 42, 5, 63, 88, 2);
    private static final int ANSWER = 16;

    @Test
    void writesTheSameSmallModelEveryTime() throws IOException {
        Path model = TARGET.resolve("hello-model");
        new HelloCheckpoint().write(model);
        byte[] first = Files.readAllBytes(model.resolve("model.safetensors"));
        new HelloCheckpoint().write(model);

        assertThat(model.resolve("model.safetensors")).hasBinaryContent(first).hasSize(first.length);
        assertThat(first).hasSizeLessThan(300_000);
    }

    @Test
    void answersWithTokensThatRoundingCannotChange() throws IOException {
        var forward = new HelloForward(new HelloCheckpoint());
        var text = new ArrayList<>(PROMPT);
        var answer = new ArrayList<Integer>();
        var logprobs = new ArrayList<Double>();
        for (int i = 0; i < ANSWER; i++) {
            double[] logits = forward.logits(text);
            List<Integer> best = IntStream.range(0, logits.length).boxed()
                    .sorted((a, b) -> Double.compare(logits[b], logits[a])).limit(2).toList();

            assertThat(logits[best.get(0)] - logits[best.get(1)]).isGreaterThan(0.1);
            answer.add(best.getFirst());
            text.add(best.getFirst());
            logprobs.add(logits[best.getFirst()] - Math.log(Arrays.stream(logits).map(Math::exp).sum()));
        }
        assertThat(answer.stream().distinct().count()).isGreaterThan(4);

        var expected = new LinkedHashMap<String, Object>();
        expected.put("prompt", PROMPT);
        expected.put("tokens", answer);
        expected.put("logprobs", logprobs);
        Files.createDirectories(TARGET);
        Files.writeString(TARGET.resolve("hello-expected.json"), HelloCheckpoint.json(expected) + "\n");
    }
}
