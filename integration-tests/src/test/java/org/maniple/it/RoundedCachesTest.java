package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.kernel.step.StepBatch;

/**
 * How far logits are from those with a KV cache of floats if keys and values are rounded. Checkpoints with grouped heads, windows and sinks, and latents; all
 * oracles with {@code -Dmaniple.layouts=all}.
 *
 * <p>The bounds follow from the rounding of single elements: that of BF16 is off by 2^-9 of an element at most, by 0.11 % in the root mean square; that of INT8
 * by half of 1/127 of a head's greatest element, which for heads of 16 to 128 elements is two to three times their root mean square, so by 0.5 to 0.7 %.
 * Attention averages what values are off by and multiplies what keys are off by with the size of scores, and blocks add theirs up: four times as much is
 * allowed for the logits of the few blocks of these checkpoints, whose weights are random, so that nothing in them is peaked.
 */
class RoundedCachesTest {

    private static final boolean ALL = System.getProperty("maniple.layouts", "").equals("all");
    private static final StepBatch.Limits LIMITS = new StepBatch.Limits(1024, 32, 2048, 256, 16);
    private static final int STEPS = 8;
    private static final double BF16 = 0.0045;
    private static final double INT8 = 0.028;

    static Stream<Arguments> checkpointsAndTypes() {
        List<String> models = new ArrayList<>(List.of("llama-plain", "gpt-oss-bf16", "deepseek-v3"));
        if (ALL) {
            models.clear();
            models.addAll(Oracles.DENSE);
            models.addAll(Oracles.EXPERTS);
        }
        return models.stream().flatMap(model -> Stream.of(Arguments.of(model, "bf16", BF16), Arguments.of(model, "int8", INT8)));
    }

    @ParameterizedTest(name = "{0} with {1}")
    @MethodSource("checkpointsAndTypes")
    void logitsAreOffByWhatRoundingMayDo(String model, String type, double bound) {
        Path directory = Oracles.model(model);
        List<Expected.Prompt> prompts = new Expected(directory).prompts().subList(0, 4);
        for (String activations : List.of("f32", "auto")) {
            Layout layout = Layout.of(1, 1).with("activation-dtype", activations, "");
            List<float[]> exact = decode(directory, layout, prompts);
            List<float[]> rounded = decode(directory, layout.with("kv-cache-dtype", type, ""), prompts);
            double off = 0;
            double size = 0;
            int same = 0;
            for (int row = 0; row < exact.size(); row++) {
                double mean = mean(exact.get(row));
                for (int i = 0; i < exact.get(row).length; i++) {
                    off += Math.pow(rounded.get(row)[i] - exact.get(row)[i], 2);
                    size += Math.pow(exact.get(row)[i] - mean, 2);
                }
                int chosen = prompts.get(row % prompts.size()).output()[row / prompts.size()];
                same += Sequences.argmax(rounded.get(row)) == chosen ? 1 : 0;
            }
            double part = Math.sqrt(off / size);
            System.out.printf(
                    "%s, %s cache, activations %s: logits off by %.5f of their size; %d of %d greedy tokens are the oracle's%n",
                    model, type, activations, part, same, exact.size());
            assertThat(part).as("activations %s, %d of %d tokens the same", activations, same, exact.size()).isPositive()
                    .isLessThan(bound);
            assertThat(same).as("greedy tokens that are the oracle's, of %d", exact.size()).isGreaterThan(exact.size() * 9 / 10);
        }
    }

    private static List<float[]> decode(Path directory, Layout layout, List<Expected.Prompt> prompts) {
        try (var unit = new VirtualUnit(directory, layout, LIMITS, 512)) {
            return new Sequences(unit.pipeline(), unit.program().graph().vocabulary()).follow(prompts, STEPS);
        }
    }

    private static double mean(float[] row) {
        double sum = 0;
        for (float each : row) {
            sum += each;
        }
        return sum / row.length;
    }
}
