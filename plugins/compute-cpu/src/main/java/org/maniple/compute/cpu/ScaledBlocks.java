package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.maniple.api.tensor.DType;

/**
 * Blocks of 32 elements with one scale. Eight codes are taken from a long at once. Of two codes that share a byte, one is in the first half of
 * the block (low bits) and one in the second (high bits).
 *
 * @param type one of these types
 */
record ScaledBlocks(DType type) implements BlockUnpacker {

    private static final long NIBBLES = 0x0f0f0f0f0f0f0f0fL;
    /** Spreads eight bits over the lowest bits of eight bytes, together with {@link #ONES}. */
    private static final long SPREAD = 0x8040201008040201L;
    private static final long TOPS = 0x8080808080808080L;
    private static final int HALF = 16;
    /** The values of IQ4_NL's codes. */
    private static final byte[] NON_LINEAR = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    /** Twice the values of MXFP4's codes. */
    private static final byte[] E2M1_TWICE = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

    @Override
    public boolean minima() {
        return type == DType.Q4_1 || type == DType.Q5_1;
    }

    @Override
    public void codes(MemorySegment w, long at, MemorySegment out, long to) {
        switch (type) {
            case Q8_0 -> {
                for (int i = 0; i < ACTIVATIONS; i += 8) {
                    out.set(JAVA_LONG_UNALIGNED, to + i, w.get(JAVA_LONG_UNALIGNED, at + 2 + i));
                }
            }
            case Q4_0 -> fourBits(w, at + 2, 8, out, to);
            case Q4_1 -> fourBits(w, at + 4, 0, out, to);
            case Q5_0 -> fiveBits(w, at + 6, w.get(JAVA_INT_UNALIGNED, at + 2), 16, out, to);
            case Q5_1 -> fiveBits(w, at + 8, w.get(JAVA_INT_UNALIGNED, at + 4), 0, out, to);
            case IQ4_NL -> table(NON_LINEAR, w, at + 2, out, to);
            default -> table(E2M1_TWICE, w, at + 1, out, to);
        }
    }

    private static void fourBits(MemorySegment w, long at, int offset, MemorySegment out, long to) {
        for (int i = 0; i < HALF; i += 8) {
            long pairs = w.get(JAVA_LONG_UNALIGNED, at + i);
            out.set(JAVA_LONG_UNALIGNED, to + i, less(pairs & NIBBLES, offset));
            out.set(JAVA_LONG_UNALIGNED, to + i + HALF, less(pairs >>> 4 & NIBBLES, offset));
        }
    }

    private static void fiveBits(MemorySegment w, long at, int fifth, int offset, MemorySegment out, long to) {
        for (int i = 0; i < HALF; i += 8) {
            long pairs = w.get(JAVA_LONG_UNALIGNED, at + i);
            out.set(JAVA_LONG_UNALIGNED, to + i, less(pairs & NIBBLES | fifth(fifth >>> i), offset));
            out.set(JAVA_LONG_UNALIGNED, to + i + HALF, less(pairs >>> 4 & NIBBLES | fifth(fifth >>> i + HALF), offset));
        }
    }

    /** Bits 0 to 7 as the fifth bits of eight bytes. */
    private static long fifth(int bits) {
        long spread = (bits & 0xff) * 0x0101010101010101L & SPREAD;
        return (spread + 0x7f7f7f7f7f7f7f7fL | spread) >>> 3 & 0x1010101010101010L;
    }

    /** Eight bytes below 128, each less a number below 128. */
    static long less(long bytes, int offset) {
        return (bytes | TOPS) - offset * 0x0101010101010101L ^ TOPS;
    }

    private static void table(byte[] values, MemorySegment w, long at, MemorySegment out, long to) {
        for (int i = 0; i < HALF; i++) {
            int pair = w.get(JAVA_BYTE, at + i) & 0xff;
            out.set(JAVA_BYTE, to + i, values[pair & 15]);
            out.set(JAVA_BYTE, to + i + HALF, values[pair >> 4]);
        }
    }

    @Override
    public void scales(MemorySegment w, long at, float[] scales, int to, int minima, int stride) {
        if (type == DType.MXFP4) {
            int exponent = w.get(JAVA_BYTE, at) & 0xff;
            // Half of the power of two, since codes are twice the values; the two smallest are subnormal.
            scales[to] = Float.intBitsToFloat(exponent < 2 ? 0x0020_0000 << exponent : exponent - 1 << 23);
            return;
        }
        scales[to] = Float.float16ToFloat(w.get(JAVA_SHORT_UNALIGNED, at));
        if (minima()) {
            scales[minima] = Float.float16ToFloat(w.get(JAVA_SHORT_UNALIGNED, at + 2));
        }
    }
}
