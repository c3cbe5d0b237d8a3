package org.maniple.api.step;

/**
 * One forward pass, as a kernel sees it. The batch consists of <em>spans</em>: each is a run of following tokens of one sequence, be
 * it a chunk of a prompt or the one token of a decode. Their tokens lie one after the other: they are the rows of every activation.
 * What a token is (prompt or generated) follows from its position, never from the length of its span, and the result of a token
 * must not depend on what else is in the batch.
 *
 * <p>The same object is used for every step; its contents change between them. Kernels may read it from several threads while they run.
 */
public interface Step {

    /**
     * Rows of values over TOKENS.
     *
     * @return tokens in this step on this rank; may be 0
     */
    int tokens();

    /**
     * The token id of a row.
     *
     * @param row from 0 to {@link #tokens()}
     * @return the id
     */
    int token(int row);

    /**
     * The position of a row in its sequence.
     *
     * @param row from 0 to {@link #tokens()}
     * @return the position, counted from 0
     */
    int position(int row);

    /**
     * The span that a row belongs to.
     *
     * @param row from 0 to {@link #tokens()}
     * @return the span
     */
    int spanOf(int row);

    /**
     * The number of spans.
     *
     * @return may be 0
     */
    int spans();

    /**
     * The first row of a span.
     *
     * @param span from 0 to {@link #spans()}
     * @return the row
     */
    int spanStart(int span);

    /**
     * The number of rows of a span.
     *
     * @param span from 0 to {@link #spans()}
     * @return at least 1
     */
    int spanLength(int span);

    /**
     * Positions per KV block.
     *
     * @return for example 16
     */
    int blockSize();

    /**
     * An entry of the block table of a span's sequence.
     *
     * @param span from 0 to {@link #spans()}
     * @param index which block of the sequence: position / {@link #blockSize()}
     * @return the number of the block
     */
    int block(int span, int index);

    /**
     * Rows of values over ROWS: the tokens whose logits are wanted.
     *
     * @return may be 0
     */
    int selectedRows();

    /**
     * The token row of a selected row.
     *
     * @param index from 0 to {@link #selectedRows()}, ascending
     * @return a row from 0 to {@link #tokens()}
     */
    int selectedRow(int index);

    /**
     * Where a position of a span's sequence lies in the states of the cache.
     *
     * @param span from 0 to {@link #spans()}
     * @param position a position of its sequence
     * @return the row of a state's tensor
     */
    default int slot(int span, int position) {
        return block(span, position / blockSize()) * blockSize() + position % blockSize();
    }
}
