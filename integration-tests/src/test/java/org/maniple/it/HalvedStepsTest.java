package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.it.Sequences.Span;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepBatch.Rows;
import org.maniple.transport.shm.ShmTransport;
import org.maniple.transport.tcp.TcpTransport;

/** Steps that are computed in two halves, of which one computes while the other one exchanges data, give the same bits. */
class HalvedStepsTest {

    private static final StepBatch.Limits LIMITS = new StepBatch.Limits(1024, 32, 2048, 256, 16);
    private static final int STEPS = 4;
    private static final UnaryOperator<Layout> TCP = layout -> layout.over("tcp", TcpTransport::new);

    static Stream<Arguments> checkpointsAndLayouts() {
        Path dense = Oracles.committed();
        Path experts = Oracles.reference("qwen2-moe");
        Layout spread = Layout.of(2, 1).attentionOf(2).experts();
        Layout direct = spread.with("all2all-backend", "direct", "");
        return Stream.of(Arguments.of(dense, Layout.of(2, 1)), Arguments.of(dense, TCP.apply(Layout.of(2, 1))),
                Arguments.of(dense, Layout.of(2, 1).over("shm", ShmTransport::new)), Arguments.of(dense, Layout.of(3, 1)),
                Arguments.of(dense, Layout.of(2, 2)), Arguments.of(dense, TCP.apply(Layout.of(2, 2))),
                Arguments.of(dense, Layout.of(2, 1).attentionOf(2)),
                Arguments.of(dense, Layout.of(2, 1).attentionOf(2).with("enable-dp-lm-head", true, "lm head")),
                Arguments.of(dense, Layout.of(1, 2).replicas(2)), Arguments.of(experts, spread),
                Arguments.of(experts, spread.with("numerics", "exact", "exact")), Arguments.of(experts, direct),
                Arguments.of(experts, TCP.apply(direct)),
                Arguments.of(experts, TCP.apply(direct).with("all2all-mode", "high_throughput", "high throughput")),
                Arguments.of(experts, spread.with("all2all-backend", "shm", "a2a shm").over("shm", ShmTransport::new)),
                Arguments.of(experts, Layout.of(2, 2).experts()),
                Arguments.of(Oracles.reference("kimi-k2"), Layout.of(2, 1).attentionOf(2).experts()));
    }

    /** Of prompts together, of all their tokens, and of a token of each sequence. */
    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("checkpointsAndLayouts")
    void logitsAndCandidatesHaveTheBitsOfWholeSteps(Path model, Layout layout) {
        List<Expected.Prompt> prompts = new Expected(model).prompts();
        var never = new VirtualUnit(model, layout, LIMITS, 512);
        List<float[]> whole;
        try (never) {
            whole = rows(never, prompts);
        }
        var always = new VirtualUnit(model, layout.inHalvesFrom(2, 2), LIMITS, 512);
        try (always) {
            List<float[]> halved = rows(always, prompts);
            assertThat(halved).hasSameSizeAs(whole);
            for (int i = 0; i < whole.size(); i++) {
                assertArrayEquals(Sequences.bits(whole.get(i)), Sequences.bits(halved.get(i)), "row " + i);
            }
        }
        assertThat(never.halvedSteps()).containsOnly(0L);
        // The prompt of which every token has a row, the prompts together, and the tokens that follow.
        assertThat(always.halvedSteps()).hasSize(always.program().mesh().ranks()).containsOnly(1L + STEPS);
    }

    private static List<float[]> rows(VirtualUnit unit, List<Expected.Prompt> prompts) {
        var sequences = new Sequences(unit.pipeline(), unit.program().graph().vocabulary());
        Expected.Prompt longest = Collections.max(prompts, Comparator.comparingInt(prompt -> prompt.ids().length));
        var rows = new ArrayList<>(
                sequences.run(List.of(new Span(sequences.open(longest.ids().length), longest.ids(), Rows.ALL))));
        rows.addAll(sequences.follow(prompts, STEPS));
        return rows;
    }

    @Test
    void stepsBelowTheThresholdsAreComputedWhole() {
        assertThat(halvedOf(new int[] {1, 1, 1})).isZero();
        assertThat(halvedOf(new int[] {1, 1, 1, 1})).isOne();
        assertThat(halvedOf(new int[] {1, 1, 1, 5})).isZero();
        assertThat(halvedOf(new int[] {8})).isZero();
        assertThat(halvedOf(new int[] {1, 8})).isOne();
    }

    /** How many steps are halved if there is one with so many tokens of each sequence, from 4 tokens on, or from 9 with prompts. */
    private static long halvedOf(int[] lengths) {
        var unit = new VirtualUnit(Oracles.committed(), Layout.of(2, 1).inHalvesFrom(4, 9), LIMITS, 512);
        try (unit) {
            var sequences = new Sequences(unit.pipeline(), unit.program().graph().vocabulary());
            sequences.run(Arrays.stream(lengths)
                    .mapToObj(length -> new Span(sequences.open(16), new int[length], Rows.LAST)).toList());
        }
        assertThat(unit.halvedSteps()).hasSize(2);
        assertThat(Set.copyOf(unit.halvedSteps())).as("steps halved, on all ranks").hasSize(1);
        return unit.halvedSteps().getFirst();
    }
}
