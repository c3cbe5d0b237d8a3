package org.maniple.api.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * How floats are rounded to the elements of a state ({@link org.maniple.api.graph.State}), and what these mean. A back end may do it otherwise as long as
 * the bytes are these.
 *
 * <ul>
 * <li>F32: as they are.
 * <li>BF16: the nearest, of two equally near ones the even one.
 * <li>I8 with factors: for each run of the last dimension the factor is its greatest size / 127, and codes are the nearest whole numbers to
 * element × (127 / greatest size), computed in single precision. A run below {@link #LEAST} becomes zeros; one with an element that is not finite gets a
 * factor that is not a number, so that it stays visible.
 * </ul>
 *
 * <p>Safe for use by several threads, on different rows.
 */
public final class CachedRows {

    /** Runs whose greatest size is below this are held as zeros in I8. */
    public static final float LEAST = 0x1p-100f;

    private static final float CODES = 127;

    private CachedRows() {}

    /**
     * Stores a row.
     *
     * @param state the tensor of a state
     * @param slot which of its rows
     * @param x holds as many floats
     * @param at where they begin, in bytes
     * @throws IllegalArgumentException if states are not held in that type
     */
    public static void store(Tensor state, long slot, MemorySegment x, long at) {
        int width = state.width();
        MemorySegment memory = state.segment();
        long first = slot * width;
        switch (state.dtype()) {
            case F32 -> MemorySegment.copy(x, at, memory, 4 * first, 4L * width);
            case BF16 -> {
                for (int i = 0; i < width; i++) {
                    memory.set(JAVA_SHORT_UNALIGNED, 2 * (first + i), bf16(x.get(JAVA_FLOAT_UNALIGNED, at + 4L * i)));
                }
            }
            case I8 -> {
                Tensor factors = factors(state);
                int length = state.extent(state.rank() - 1);
                for (int start = 0; start < width; start += length) {
                    float factor = code(x, at + 4L * start, length, memory, first + start);
                    factors.segment().set(JAVA_FLOAT_UNALIGNED, 4 * ((first + start) / length), factor);
                }
            }
            default -> throw new IllegalArgumentException("states are not held as " + state);
        }
    }

    /**
     * An element.
     *
     * @param state the tensor of a state
     * @param index its number, counted over all rows
     * @return what is computed with
     * @throws IllegalArgumentException if states are not held in that type
     */
    public static float element(Tensor state, long index) {
        MemorySegment memory = state.segment();
        return switch (state.dtype()) {
            case F32 -> memory.get(JAVA_FLOAT_UNALIGNED, 4 * index);
            case BF16 -> Float.intBitsToFloat(memory.get(JAVA_SHORT_UNALIGNED, 2 * index) << 16);
            case I8 -> memory.get(JAVA_BYTE, index)
                    * factors(state).segment().get(JAVA_FLOAT_UNALIGNED, 4 * (index / state.extent(state.rank() - 1)));
            default -> throw new IllegalArgumentException("states are not held as " + state);
        };
    }

    private static Tensor factors(Tensor state) {
        Optional<BlockScales> scales = state.scales();
        if (scales.isEmpty()) { // not orElseThrow: what would name the state is an object in each call
            throw new IllegalArgumentException("a state of " + state + " has no factors");
        }
        return scales.get().factors();
    }

    /** Ties go to the even one; what is not a number stays so. */
    private static short bf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return (short) (Float.isNaN(value) ? bits >> 16 | 0x40 : bits + 0x7fff + (bits >>> 16 & 1) >> 16);
    }

    private static float code(MemorySegment x, long at, int length, MemorySegment codes, long to) {
        float size = 0;
        boolean finite = true;
        for (int i = 0; i < length; i++) {
            float each = Math.abs(x.get(JAVA_FLOAT_UNALIGNED, at + 4L * i));
            finite &= each <= Float.MAX_VALUE;
            size = Math.max(size, each);
        }
        boolean kept = finite && size >= LEAST;
        float inverse = CODES / size;
        for (int i = 0; i < length; i++) {
            float code = kept ? x.get(JAVA_FLOAT_UNALIGNED, at + 4L * i) * inverse : 0;
            codes.set(JAVA_BYTE, to + i, (byte) Math.rint(code));
        }
        return !finite ? Float.NaN : kept ? size / CODES : 0;
    }
}
