package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.maniple.it.Sequences.Sequence;
import org.maniple.it.Sequences.Span;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepBatch.Rows;

/**
 * What activations of reduced precision ({@code activation-dtype: auto}) change in the logits of every GGUF oracle. The largest differences are printed
 * and written to {@code target/activations.txt}.
 *
 * <p>Where the bound comes from: of 32 activations that share a scale each is off by at most half a step, the largest of them / 254, evenly
 * distributed: by their largest / 440 on average (root of the mean square). The largest of 32 normal deviates is a little over twice their deviation,
 * so each product with a matrix adds an error of about half a percent of what it makes, and the nine products that lead from an embedding of two
 * blocks to a logit at most 5 percent together. Attention turns scores of some tens, which these models have, into weights that are off by several
 * times as much. A wrong scale or a wrong code in one block of each row makes differences as large as the deviation of logits itself.
 */
class GgufActivationsTest {

    private static final StepBatch.Limits LIMITS = new StepBatch.Limits(1024, 32, 2048, 256, 16);
    private static final double MOST = 0.2;

    /** How far the logits of a file are from those with float activations. */
    private record Change(String file, double largest, double relative, int rows, int otherTokens) {

        static Change of(String file, List<float[]> floats, List<float[]> reduced) {
            double largest = 0;
            double relative = 0;
            int other = 0;
            for (int row = 0; row < floats.size(); row++) {
                float[] expected = floats.get(row);
                float[] found = reduced.get(row);
                double squares = 0;
                double mean = 0;
                for (int i = 0; i < expected.length; i++) {
                    double difference = Math.abs((double) found[i] - expected[i]);
                    // Not Math.max alone, which a number that is none would pass.
                    assertThat(difference).isFinite();
                    largest = Math.max(largest, difference);
                    squares += difference * difference;
                    mean += expected[i] / (double) expected.length;
                }
                double variance = 0;
                for (float value : expected) {
                    variance += (value - mean) * (value - mean);
                }
                relative = Math.max(relative, Math.sqrt(squares / variance));
                other += Sequences.argmax(expected) == Sequences.argmax(found) ? 0 : 1;
            }
            return new Change(file, largest, relative, floats.size(), other);
        }

        @Override
        public String toString() {
            return String.format(Locale.ROOT,
                    "%-24s largest difference of a logit %.4f; of a row at most %.2f %% of its deviation; other best tokens %d of %d",
                    file, largest, 100 * relative, otherTokens, rows);
        }
    }

    @Test
    void logitsStayNearThoseWithFloatActivations() throws IOException {
        var changes = new ArrayList<Change>();
        for (Path file : files()) {
            changes.add(Change.of(file.getFileName().toString(), logits(file, "f32"), logits(file, "auto")));
        }
        changes.forEach(System.out::println);
        Path target = Files.createDirectories(Path.of(System.getProperty("maniple.top", ".."), "integration-tests", "target"));
        Files.write(target.resolve("activations.txt"), changes.stream().map(Change::toString).toList());

        assertThat(changes).hasSizeGreaterThanOrEqualTo(GgufOracleTest.FILES.size())
                .allSatisfy(change -> assertThat(change.relative()).as(change.toString()).isLessThan(MOST));
        assertThat(changes).filteredOn(change -> change.file().matches(".*-q\\d.*"))
                .allSatisfy(change -> assertThat(change.largest()).as(change.toString()).isPositive());
        assertThat(changes).filteredOn(change -> change.file().matches("llama-f(16|32).gguf")).hasSize(2)
                .allSatisfy(change -> assertThat(change.largest()).as("floats are multiplied as they are: " + change).isZero());
    }

    private static List<Path> files() throws IOException {
        try (Stream<Path> all = Files.list(Oracles.directory().resolve("gguf"))) {
            return all.filter(file -> file.toString().endsWith(".gguf")).sorted().toList();
        }
    }

    /** Of the last tokens of all prompts, and of every token of the continuations that the reference chose. */
    private static List<float[]> logits(Path file, String activations) {
        List<Expected.Prompt> prompts = new Expected(file).prompts();
        var rows = new ArrayList<float[]>();
        try (var unit = new VirtualUnit(file, Layout.of(1, 1).with("activation-dtype", activations, ""), LIMITS, 512)) {
            var sequences = new Sequences(unit.pipeline(), unit.program().graph().vocabulary());
            var open = new ArrayList<Sequence>();
            prompts.forEach(prompt -> open.add(sequences.open(prompt.ids().length + prompt.output().length)));
            for (int step = 0; step < prompts.getFirst().output().length; step++) {
                var spans = new ArrayList<Span>();
                for (int i = 0; i < open.size(); i++) {
                    int[] tokens = step == 0 ? prompts.get(i).ids() : new int[] {prompts.get(i).output()[step - 1]};
                    spans.add(new Span(open.get(i), tokens, Rows.LAST));
                }
                rows.addAll(sequences.run(spans));
            }
        }
        return rows;
    }
}
