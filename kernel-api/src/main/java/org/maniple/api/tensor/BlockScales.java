package org.maniple.api.tensor;

import java.util.List;

/**
 * Factors of the elements of a weight, whose last dimensions (those that a contraction sums over) are cut into blocks: an element is its
 * stored value × the factor of its row and block.
 *
 * @param ends where blocks end, counted in elements of a row: ascending, the last one is the length of a row. Blocks need not be equally
 *     long: a slice may begin within one
 * @param factors F32 {@code [rows…, blocks]}; stacked if the weight is
 */
public record BlockScales(List<Integer> ends, Tensor factors) {

    /** Copies the list. */
    public BlockScales {
        ends = List.copyOf(ends);
    }
}
