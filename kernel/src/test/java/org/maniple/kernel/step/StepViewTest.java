package org.maniple.kernel.step;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.maniple.kernel.program.TokenSplit;
import org.maniple.kernel.step.StepBatch.Limits;
import org.maniple.kernel.step.StepBatch.Rows;

class StepViewTest {

    private static final int[] IDS = IntStream.range(100, 120).toArray();

    /** Home 0: a prompt of 5 tokens; home 1: nothing; home 2: a decode, and a prompt of 3 all of whose tokens give logits. */
    private static StepBatch batch() {
        var batch = new StepBatch(new Limits(16, 4, 16, 8, 4, 3), 50, 500);
        batch.clear(1);
        batch.addSpan(0, 70, 0, IDS, 0, 5, Rows.LAST, new int[] {1, 2}, 2);
        batch.addSpan(2, 71, 9, IDS, 5, 1, Rows.LAST, new int[] {3, 4, 5}, 3);
        batch.addSpan(2, 72, 0, IDS, 6, 3, Rows.ALL, new int[] {6}, 1);
        return batch;
    }

    private static StepView view(TokenSplit split) {
        StepBatch batch = batch();
        var view = new StepView(split, batch);
        view.look(batch);
        return view;
    }

    private static List<Integer> tokens(StepView view) {
        return IntStream.range(0, view.tokens()).map(view::token).boxed().toList();
    }

    @Test
    void allTokensAreThoseOfTheStep() {
        StepView view = view(TokenSplit.ALL);

        assertThat(tokens(view)).containsExactly(100, 101, 102, 103, 104, 105, 106, 107, 108);
        assertThat(view.selectedRows()).isEqualTo(5);
    }

    @Test
    void aHomeHasItsSpansCountedFromZero() {
        StepView view = view(new TokenSplit(2, 0, 1));

        assertThat(tokens(view)).containsExactly(105, 106, 107, 108);
        assertThat(IntStream.range(0, 4).map(view::spanOf)).containsExactly(0, 1, 1, 1);
        assertThat(IntStream.range(0, 4).map(view::position)).containsExactly(9, 0, 1, 2);
        assertThat(view.slot(0, 9)).isEqualTo(5 * 4 + 1);
        assertThat(List.of(view.spans(), view.spanStart(1), view.spanLength(1))).containsExactly(2, 1, 3);
        assertThat(IntStream.range(0, view.selectedRows()).map(view::selectedRow)).containsExactly(0, 1, 2, 3);
        assertThat(List.of(view.firstToken(), view.firstRow())).containsExactly(5, 1);
    }

    @Test
    void aHomeWithoutSequencesHasNothing() {
        StepView view = view(new TokenSplit(1, 0, 1));

        assertThat(List.of(view.tokens(), view.spans(), view.selectedRows())).containsOnly(0);
    }

    @Test
    void partsOfAHomeFollowEachOtherAndHaveTheRowsOfTheirTokens() {
        StepView first = view(new TokenSplit(0, 0, 2));
        StepView second = view(new TokenSplit(0, 1, 2));

        assertThat(tokens(first)).containsExactly(100, 101);
        assertThat(tokens(second)).containsExactly(102, 103, 104);
        assertThat(first.selectedRows()).isZero();
        assertThat(second.selectedRows()).isEqualTo(1);
        assertThat(second.selectedRow(0)).isEqualTo(2);
        assertThat(IntStream.range(0, 3).map(second::position)).containsExactly(2, 3, 4);
    }

    @Test
    void morePartsThanTokensLeaveSomeEmpty() {
        int sum = 0;
        for (int part = 0; part < 8; part++) {
            sum += view(new TokenSplit(2, part, 8)).tokens();
        }

        assertThat(sum).isEqualTo(4);
    }
}
