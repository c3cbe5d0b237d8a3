package org.maniple.kernel.step;

import org.maniple.api.step.Step;
import org.maniple.kernel.program.TokenSplit;

/**
 * The part of a step that a rank computes of some values: the tokens of one home or of all homes, and of these one of several parts that are as
 * equal as they can be. Rows are counted within the part. Looks at a batch that changes from step to step; reading allocates nothing.
 */
public final class StepView implements Step {

    private final TokenSplit split;
    private StepBatch batch;
    private int tokenFrom;
    private int tokenTo;
    private int rowFrom;
    private int rowTo;
    private int spanFrom;
    private int spanTo;

    /**
     * A view.
     *
     * @param split which tokens
     * @param batch what is looked at until the first {@link #look}
     */
    public StepView(TokenSplit split, StepBatch batch) {
        this.split = split;
        this.batch = batch;
    }

    /**
     * Looks at a batch. To be called in each step before anything is read.
     *
     * @param next what is looked at from now on; until it changes
     */
    public void look(StepBatch next) {
        batch = next;
        tokenFrom = tokenFrom(batch, split);
        tokenTo = tokenTo(batch, split);
        rowFrom = rowFrom(batch, split);
        rowTo = rowTo(batch, split);
        spanFrom = tokenFrom == tokenTo ? 0 : batch.spanOf(tokenFrom);
        spanTo = tokenFrom == tokenTo ? 0 : batch.spanOf(tokenTo - 1) + 1;
    }

    /**
     * The first token of a part of a step.
     *
     * @param batch the step
     * @param split which part
     * @return a row of the step
     */
    public static int tokenFrom(StepBatch batch, TokenSplit split) {
        return token(batch, split.home(), split.part(), split.parts());
    }

    /**
     * The token after the last of a part of a step.
     *
     * @param batch the step
     * @param split which part
     * @return a row of the step
     */
    public static int tokenTo(StepBatch batch, TokenSplit split) {
        return token(batch, split.home(), split.part() + 1, split.parts());
    }

    private static int token(StepBatch batch, int home, int part, int parts) {
        int from = home < 0 ? 0 : batch.tokenStart(home);
        int to = home < 0 ? batch.tokens() : batch.tokenStart(home + 1);
        return from + (int) ((long) (to - from) * part / parts);
    }

    /**
     * The first selected row of a part of a step.
     *
     * @param batch the step
     * @param split which part
     * @return an index of a selected row of the step
     */
    public static int rowFrom(StepBatch batch, TokenSplit split) {
        return row(batch, split.home(), split.part(), split.parts());
    }

    /**
     * The selected row after the last of a part of a step.
     *
     * @param batch the step
     * @param split which part
     * @return an index of a selected row of the step
     */
    public static int rowTo(StepBatch batch, TokenSplit split) {
        return row(batch, split.home(), split.part() + 1, split.parts());
    }

    private static int row(StepBatch batch, int home, int part, int parts) {
        int from = home < 0 ? 0 : batch.rowStart(home);
        int to = home < 0 ? batch.selectedRows() : batch.rowStart(home + 1);
        if (part == 0 || part == parts) {
            return part == 0 ? from : to;
        }
        int token = token(batch, home, part, parts);
        while (from < to && batch.selectedRow(from) < token) {
            from++;
        }
        return from;
    }

    /**
     * The first token of this part.
     *
     * @return a row of the step
     */
    public int firstToken() {
        return tokenFrom;
    }

    /**
     * The first span of which this part has tokens.
     *
     * @return a span of the step
     */
    public int firstSpan() {
        return spanFrom;
    }

    /**
     * The first selected row of this part.
     *
     * @return an index of a selected row of the step
     */
    public int firstRow() {
        return rowFrom;
    }

    @Override
    public int tokens() {
        return tokenTo - tokenFrom;
    }

    @Override
    public int token(int row) {
        return batch.token(tokenFrom + row);
    }

    @Override
    public int position(int row) {
        return batch.position(tokenFrom + row);
    }

    @Override
    public int spanOf(int row) {
        return batch.spanOf(tokenFrom + row) - spanFrom;
    }

    @Override
    public int spans() {
        return spanTo - spanFrom;
    }

    @Override
    public int spanStart(int span) {
        return Math.max(0, batch.spanStart(spanFrom + span) - tokenFrom);
    }

    @Override
    public int spanLength(int span) {
        int start = batch.spanStart(spanFrom + span);
        return Math.min(tokenTo, start + batch.spanLength(spanFrom + span)) - Math.max(tokenFrom, start);
    }

    @Override
    public int blockSize() {
        return batch.blockSize();
    }

    @Override
    public int block(int span, int index) {
        return batch.block(spanFrom + span, index);
    }

    @Override
    public int selectedRows() {
        return rowTo - rowFrom;
    }

    @Override
    public int selectedRow(int index) {
        return batch.selectedRow(rowFrom + index) - tokenFrom;
    }
}
