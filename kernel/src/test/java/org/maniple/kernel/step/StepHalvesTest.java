package org.maniple.kernel.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.maniple.kernel.step.StepBatch.Limits;
import org.maniple.kernel.step.StepBatch.Rows;

class StepHalvesTest {

    private static final Limits LIMITS = new Limits(16, 4, 16, 8, 4, 2);
    private static final int[] IDS = IntStream.range(100, 120).toArray();

    private final StepBatch step = new StepBatch(LIMITS, 50, 500);
    private final StepHalves halves = new StepHalves(LIMITS, 50, 500);

    private static List<Integer> tokens(StepBatch batch) {
        return IntStream.range(0, batch.tokens()).map(batch::token).boxed().toList();
    }

    private static List<Integer> positions(StepBatch batch) {
        return IntStream.range(0, batch.tokens()).map(batch::position).boxed().toList();
    }

    private static List<Integer> selected(StepBatch batch) {
        return IntStream.range(0, batch.selectedRows()).map(batch::selectedRow).boxed().toList();
    }

    @Test
    void everyHomeIsCutInItsMiddle() {
        step.clear(9);
        for (int i = 0; i < 4; i++) {
            step.addSpan(0, 70 + i, 5, IDS, i, 1, Rows.LAST, new int[] {1, 2}, 2);
        }
        step.addSpan(1, 80, 5, IDS, 4, 1, Rows.LAST, new int[] {3, 4}, 2);
        halves.cut(step);

        assertThat(tokens(halves.first())).containsExactly(100, 101, 104);
        assertThat(tokens(halves.second())).containsExactly(102, 103);
        assertThat(List.of(halves.first().tokenStart(1), halves.second().tokenStart(1))).containsExactly(2, 2);
        assertThat(IntStream.range(0, 3).mapToLong(halves.first()::sequence)).containsExactly(70L, 71L, 80L);
        assertThat(halves.second().stepNumber()).isEqualTo(9);
    }

    @Test
    void aPromptGoesOnInTheSecondHalfWhereTheFirstOneEnds() {
        step.clear(1);
        step.addSpan(0, 70, 8, IDS, 0, 5, Rows.LAST, new int[] {7, 8, 9, 6}, 4);
        halves.cut(step);

        assertThat(tokens(halves.first())).containsExactly(100, 101, 102);
        assertThat(positions(halves.first())).containsExactly(8, 9, 10);
        assertThat(selected(halves.first())).isEmpty();
        assertThat(tokens(halves.second())).containsExactly(103, 104);
        assertThat(positions(halves.second())).containsExactly(11, 12);
        assertThat(selected(halves.second())).containsExactly(1);
        assertThat(halves.second().block(0, 3)).isEqualTo(6);
    }

    @Test
    void bothPartsHaveTheRowsOfTheirTokensWhereAllAreWanted() {
        step.clear(1);
        step.addSpan(0, 70, 0, IDS, 0, 1, Rows.LAST, new int[] {1}, 1);
        step.addSpan(0, 71, 0, IDS, 1, 4, Rows.ALL, new int[] {2}, 1);
        halves.cut(step);

        assertThat(selected(halves.first())).containsExactly(0, 1, 2);
        assertThat(selected(halves.second())).containsExactly(0, 1);
    }

    @Test
    void whatIsWantedOfTheStepIsWantedOfBoth() {
        step.clear(1);
        step.addSpan(0, 70, 0, IDS, 0, 2, Rows.LAST, new int[] {1}, 1);
        step.needFullRows(true);
        step.needHiddenRows(true, true);
        halves.cut(step);

        for (StepBatch half : List.of(halves.first(), halves.second())) {
            assertThat(half.fullRows()).isTrue();
            assertThat(half.hiddenRows()).isTrue();
            assertThat(half.wantsLogits()).isFalse();
        }
    }

    @Test
    void theLargestStepFitsIntoHalves() {
        step.clear(1);
        for (int home = 0; home < 2; home++) {
            step.addSpan(home, 70, 0, IDS, 0, 1, Rows.LAST, blocks(), 4);
            step.addSpan(home, 71, 0, IDS, 0, 1, Rows.LAST, blocks(), 4);
            step.addSpan(home, 72, 0, IDS, 0, 1, Rows.LAST, blocks(), 4);
            step.addSpan(home, 73, 0, IDS, 0, 13, Rows.LAST, blocks(), 4);
        }
        halves.cut(step);

        assertThat(List.of(halves.first().tokens(), halves.second().tokens())).containsExactly(16, 16);
        assertThat(halves.first().selectedRows() + halves.second().selectedRows()).isEqualTo(8);
        assertThatThrownBy(() -> halves.first().addSpan(1, 74, 0, IDS, 0, 1, Rows.LAST, blocks(), 4))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static int[] blocks() {
        return IntStream.rangeClosed(1, 4).toArray();
    }
}
