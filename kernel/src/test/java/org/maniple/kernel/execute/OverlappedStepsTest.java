package org.maniple.kernel.execute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepBatch.Limits;
import org.maniple.kernel.step.StepBatch.Rows;
import org.maniple.kernel.step.StepHalves;

class OverlappedStepsTest {

    private static final Limits LIMITS = new Limits(8, 4, 16, 4, 4, 2);

    private final StepBatch step = new StepBatch(LIMITS, 50, 500);

    /** Tokens in steps of a home, each of a sequence of its own. */
    private void streams(int home, int count) {
        for (int i = 0; i < count; i++) {
            span(home, 1, Rows.LAST);
        }
    }

    private void span(int home, int tokens, Rows rows) {
        step.addSpan(home, 1, 0, new int[8], 0, tokens, rows, new int[] {1, 2}, 2);
    }

    @Test
    void rowsOfBothHalvesAreJoinedHomeByHome() {
        var halves = new StepHalves(LIMITS, 50, 500);
        step.clear(1);
        streams(0, 3);
        streams(1, 4);
        halves.cut(step);
        try (Arena arena = Arena.ofConfined()) {
            Tensor first = tensor(arena, 8, 10, 11, 20, 21);
            Tensor second = tensor(arena, 8, 12, 22, 23);

            new OverlappedSteps.Joined(first, second).join(step, halves.first(), halves.second());

            assertThat(IntStream.range(0, 7).map(row -> (int) first.segment().getAtIndex(ValueLayout.JAVA_FLOAT, 2L * row + 1)))
                    .containsExactly(10, 11, 12, 20, 21, 22, 23);
            assertThat(first.rows()).isEqualTo(7);
        }
    }

    private static Tensor tensor(Arena arena, int rows, float... values) {
        Tensor tensor = Tensor.of(DType.F32, new int[] {rows, 2}, arena.allocate(8L * rows));
        for (int row = 0; row < values.length; row++) {
            tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 2L * row + 1, values[row]);
        }
        return tensor;
    }

    @Test
    void tokensAreCountedAtTheHomeThatHasMost() {
        var thresholds = new OverlapThresholds(3, 6);
        step.clear(1);
        streams(0, 2);
        streams(1, 2);
        assertThat(thresholds.reached(step)).isFalse();
        streams(1, 1);
        assertThat(thresholds.reached(step)).isTrue();
    }

    @Test
    void stepsWithPromptsHaveAThresholdOfTheirOwn() {
        var thresholds = new OverlapThresholds(2, 6);
        step.clear(1);
        streams(0, 3);
        span(0, 2, Rows.NONE);
        assertThat(thresholds.reached(step)).isFalse();
        step.clear(1);
        streams(0, 3);
        span(0, 3, Rows.NONE);
        assertThat(thresholds.reached(step)).isTrue();
    }

    @Test
    void passesThatGuessAreNotHalved() {
        step.clearForDraft(1);
        streams(0, 4);
        assertThat(new OverlapThresholds(2, 2).reached(step)).isFalse();
    }

    @Test
    void aSingleTokenCannotBeHalved() {
        assertThatThrownBy(() -> new OverlapThresholds(1, 512)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("least is 2");
    }
}
