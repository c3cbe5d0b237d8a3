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
 * How far logits are from those with a KV cache of floats if keys and values are rounded; some oracles, and all of them with
 * {@code -Dmaniple.layouts=all}.
 *
 * <p>The bounds follow from the rounding of single elements, in the root mean square: BF16 has a step of 2^-7 to 2^-8 of an element, so that it is off by
 * 0.16 %; INT8 one of 1/127 of a head's greatest element, which for heads of 16 elements is two and a half times their root mean square, so that it is off by
 * 0.6 %. A weight of the softmax is off by as many times what its key is off by as its score is great, and these checkpoints have scores up to ten: ten times
 * as much is allowed for the logits. Where there are experts, a router whose best ones are near to each other chooses others, which has no such bound: there
 * three quarters of the tokens have to be the oracle's.
 */
class RoundedCachesTest {

    private static final boolean ALL = System.getProperty("maniple.layouts", "").equals("all");
    private static final StepBatch.Limits LIMITS = new StepBatch.Limits(1024, 32, 2048, 256, 16);
    private static final int STEPS = 8;
    private static final double BF16 = 10 * 0.0016;
    private static final double INT8 = 10 * 0.006;

    static Stream<Arguments> checkpointsAndTypes() {
        List<String> dense = ALL ? Oracles.DENSE : List.of("llama-plain", "mistral-window");
        List<String> experts = ALL ? Oracles.EXPERTS : List.of("gpt-oss-bf16", "deepseek-v3");
        return Stream.concat(
                dense.stream().flatMap(model -> Stream.of(Arguments.of(model, "bf16", BF16), Arguments.of(model, "int8", INT8))),
                experts.stream().flatMap(model -> Stream.of(Arguments.of(model, "bf16", 1), Arguments.of(model, "int8", 1))));
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
            assertThat(same).as("greedy tokens that are the oracle's, of %d", exact.size())
                    .isGreaterThanOrEqualTo(exact.size() * 3 / 4);
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
