package org.maniple.api.tensor;

import java.lang.foreign.MemorySegment;

/**
 * What the bytes of a block type mean. The plain implementation that every faster one is measured against: multiplications and subtractions in single
 * precision, each rounded by itself (no fused multiply-add), in the order of ggml's {@code dequantize_row_*}. Safe for use by several threads.
 */
public interface BlockCodec {

    /**
     * Elements as floats.
     *
     * @param blocks the memory of the blocks
     * @param at where the first block begins, in bytes
     * @param out receives floats
     * @param to where they begin, in bytes
     * @param count elements; whole blocks
     */
    void decode(MemorySegment blocks, long at, MemorySegment out, long to, int count);
}
