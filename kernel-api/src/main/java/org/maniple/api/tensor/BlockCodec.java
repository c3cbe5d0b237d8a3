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

    /**
     * The codec of a block type.
     *
     * @param dtype the type
     * @return its codec
     * @throws IllegalArgumentException if it is not a block type
     */
    static BlockCodec of(DType dtype) {
        return switch (dtype) {
            case Q8_0 -> new BlockWalk(dtype, ScaledBlocks::q80);
            case Q4_0 -> new BlockWalk(dtype, ScaledBlocks::q40);
            case Q4_1 -> new BlockWalk(dtype, ScaledBlocks::q41);
            case Q5_0 -> new BlockWalk(dtype, ScaledBlocks::q50);
            case Q5_1 -> new BlockWalk(dtype, ScaledBlocks::q51);
            case IQ4_NL -> new BlockWalk(dtype, ScaledBlocks::iq4nl);
            case MXFP4 -> new BlockWalk(dtype, ScaledBlocks::mxfp4);
            case Q2_K -> new BlockWalk(dtype, SuperBlocks::q2k);
            case Q3_K -> new BlockWalk(dtype, SuperBlocks::q3k);
            case Q4_K -> new BlockWalk(dtype, SuperBlocks::q4k);
            case Q5_K -> new BlockWalk(dtype, SuperBlocks::q5k);
            case Q6_K -> new BlockWalk(dtype, SuperBlocks::q6k);
            case F32, F16, BF16, F8_E4M3, F64, U8, I8, I16, I32, I64, BOOL -> throw new IllegalArgumentException(
                    dtype + " is not a block type");
        };
    }
}
