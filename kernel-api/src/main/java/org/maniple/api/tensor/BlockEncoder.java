package org.maniple.api.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Quantises floats into blocks of a simple block type: the codes are the nearest to the elements for a scale that follows from the block's range, as in
 * ggml's {@code quantize_row_*_ref}. Safe for use by several threads.
 */
public interface BlockEncoder {

    /**
     * Quantises elements.
     *
     * @param floats the memory of the elements, all finite
     * @param at where the first one begins, in bytes
     * @param blocks receives whole blocks
     * @param to where the first one begins, in bytes
     * @param count elements; whole blocks
     */
    void encode(MemorySegment floats, long at, MemorySegment blocks, long to, int count);

    /**
     * The encoder of a block type.
     *
     * @param dtype the type
     * @return empty if there is none; there are for Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, IQ4_NL and MXFP4
     */
    static Optional<BlockEncoder> of(DType dtype) {
        BlockWalk.Block block = switch (dtype) {
            case Q8_0 -> ScaledBlockWriter::q80;
            case Q4_0 -> ScaledBlockWriter::q40;
            case Q4_1 -> ScaledBlockWriter::q41;
            case Q5_0 -> ScaledBlockWriter::q50;
            case Q5_1 -> ScaledBlockWriter::q51;
            case IQ4_NL -> ScaledBlockWriter::iq4nl;
            case MXFP4 -> ScaledBlockWriter::mxfp4;
            default -> null;
        };
        if (block == null) {
            return Optional.empty();
        }
        var walk = new BlockWalk(dtype, block);
        return Optional.of((floats, at, blocks, to, count) -> walk.all(blocks, to, floats, at, count));
    }
}
