package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.it.IntegerConverter.Form;
import org.maniple.it.IntegerConverter.Scheme;
import org.maniple.it.Sequences.Sequence;
import org.maniple.it.Sequences.Span;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepBatch.Rows;

/**
 * Checkpoints of integers give, with float activations, bit for bit the logits of a checkpoint of floats with the values that the integers stand for: alone,
 * and on ranks whose slices begin within groups.
 */
class IntegerCheckpointsTest {

    private static final StepBatch.Limits LIMITS = new StepBatch.Limits(64, 4, 64, 16, 16);
    private static final int STEPS = 4;

    @TempDir
    private Path folder;

    static List<Scheme> schemes() {
        return List.of(new Scheme(Form.GPTQ, 4, 64, true, false), new Scheme(Form.GPTQ, 4, 32, false, false),
                new Scheme(Form.GPTQ_V2, 4, 0, false, false), new Scheme(Form.GPTQ, 8, 32, true, false),
                new Scheme(Form.GPTQ, 8, 32, false, false), new Scheme(Form.GPTQ, 4, 32, true, true),
                new Scheme(Form.AWQ, 4, 32, false, false), new Scheme(Form.AWQ, 4, 64, false, false),
                new Scheme(Form.PACKED, 4, 32, true, false), new Scheme(Form.PACKED, 4, 64, false, false),
                new Scheme(Form.PACKED, 4, 0, true, false), new Scheme(Form.PACKED, 8, 0, true, false),
                new Scheme(Form.PACKED, 4, 32, true, true), new Scheme(Form.PACKED, 4, 8, true, false),
                new Scheme(Form.BYTES, 8, 0, true, false), new Scheme(Form.BYTES, 8, 0, false, false),
                new Scheme(Form.FLOATS, 8, 0, true, false));
    }

    static Stream<Arguments> schemesAndLayouts() {
        return Stream.concat(schemes().stream().map(scheme -> Arguments.of(scheme, Layout.of(3, 1))),
                schemes().stream().limit(2).flatMap(scheme -> Stream.of(Layout.of(1, 1), Layout.of(2, 2))
                        .map(layout -> Arguments.of(scheme, layout))));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("schemesAndLayouts")
    void integersAreWhatTheyStandFor(Scheme scheme, Layout layout) {
        IntegerConverter.convert(Oracles.committed(), folder, scheme);

        List<float[]> expected = logits(folder.resolve("floats"), layout);

        assertThat(logits(folder.resolve("quantised"), layout)).usingRecursiveComparison().isEqualTo(expected);
    }

    /** Experts are stored one by one. */
    @Test
    void expertsMayBeIntegersToo() {
        IntegerConverter.convert(Oracles.model("qwen3-moe"), folder, new Scheme(Form.AWQ, 4, 32, false, false));
        Layout layout = Layout.of(2, 1).experts();

        List<float[]> expected = logits(folder.resolve("floats"), layout);

        assertThat(logits(folder.resolve("quantised"), layout)).usingRecursiveComparison().isEqualTo(expected);
    }

    /** A block depends on its own elements alone, so that ranks make the same ones; what differs is the order of sums. */
    @Test
    void floatsThatAreConvertedAreTheSameOnEveryLayout() {
        Layout alone = Layout.of(1, 1).with("quantization", "q4_0", "");
        List<float[]> expected = logits(Oracles.model("qwen3-moe"), alone);

        List<float[]> spread = logits(Oracles.model("qwen3-moe"), Layout.of(2, 2).experts().with("quantization", "q4_0", ""));

        for (int i = 0; i < STEPS; i++) {
            assertThat(spread.get(i)).containsExactly(expected.get(i), Offset.offset(5e-3f));
        }
    }

    /** The logits after a prompt and some greedy tokens. */
    private static List<float[]> logits(Path model, Layout layout) {
        try (var unit = new VirtualUnit(model, layout, LIMITS, 64)) {
            var sequences = new Sequences(unit.pipeline(), unit.program().graph().vocabulary());
            Sequence sequence = sequences.open(64);
            int[] tokens = {1, 17, 42, 9, 200, 77, 3};
            var all = new ArrayList<float[]>();
            for (int step = 0; step < STEPS; step++) {
                float[] logits = sequences.run(List.of(new Span(sequence, tokens, Rows.LAST))).getFirst().clone();
                all.add(logits);
                tokens = new int[] {Sequences.argmax(logits)};
            }
            return all;
        }
    }
}
