package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import org.maniple.api.tensor.DType;

/**
 * Takes blocks of a type apart: an element is {@code code · scale + minimum} with the scale, and for some types the minimum, of its run of
 * elements, exactly as {@link org.maniple.api.tensor.BlockCodec} computes them. Safe for use by several threads.
 */
interface BlockUnpacker {

    /** Elements of activations that share a scale. */
    int ACTIVATIONS = 32;

    /** The type. */
    DType type();

    /** Elements that share a scale: 16 or 32. */
    default int run() {
        return ACTIVATIONS;
    }

    /** Whether there are minima. */
    default boolean minima() {
        return false;
    }

    /** Writes the codes of blocks as signed bytes. */
    void codes(MemorySegment w, long at, int blocks, MemorySegment out, long to);

    /**
     * Writes the scales of blocks, and their minima if the type has some.
     *
     * @param scales receives the scale of run {@code i} at {@code to + i * stride}
     * @param minima where in the same array the minima go, likewise
     */
    void scales(MemorySegment w, long at, int blocks, float[] scales, int to, int minima, int stride);

    /** The unpacker of a block type. */
    static BlockUnpacker of(DType type) {
        return switch (type) {
            case Q8_0, Q4_0, Q5_0, IQ4_NL, MXFP4 -> new ScaledBlocks(type);
            case Q4_1, Q5_1 -> new ScaledBlocks(type);
            case Q2_K, Q3_K, Q4_K, Q5_K, Q6_K -> new SuperBlocks(type);
            case F32, F16, BF16, F8_E4M3, F64, U8, I8, I16, I32, I64, BOOL -> throw new IllegalArgumentException(
                    type + " is not a block type");
        };
    }
}
