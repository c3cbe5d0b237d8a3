package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.maniple.api.tensor.DType;

/**
 * Blocks of 32 elements with one scale. Eight codes are taken from a long at once. Of two codes that share a byte, one is in the first half of
 * the block (low bits) and one in the second (high bits).
 *
 * @param type one of these types
 */
record ScaledBlocks(DType type) implements BlockUnpacker {

    private static final long NIBBLES = 0x0f0f0f0f0f0f0f0fL;
    /** Spreads eight bits over the lowest bits of eight bytes. */
    private static final long SPREAD = 0x8040201008040201L;
    private static final long TOPS = 0x8080808080808080L;
    private static final int HALF = 16;
    private static final VectorSpecies<Byte> B = ByteVector.SPECIES_128;
    /** The values of IQ4_NL's codes. */
    private static final ByteVector NON_LINEAR = table(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
    /** Twice the values of MXFP4's codes. */
    private static final ByteVector E2M1_TWICE = table(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

    private static ByteVector table(int... values) {
        ByteVector table = ByteVector.zero(B);
        for (int i = 0; i < values.length; i++) {
            table = table.withLane(i, (byte) values[i]);
        }
        return table;
    }

    @Override
    public boolean minima() {
        return type == DType.Q4_1 || type == DType.Q5_1;
    }

    @Override
    public void codes(MemorySegment w, long at, int blocks, MemorySegment out, long to) {
        switch (type) {
            case Q8_0 -> eightBits(w, at + 2, blocks, out, to);
            case Q4_0 -> fourBits(w, at + 2, type.blockBytes(), blocks, 8, out, to);
            case Q4_1 -> fourBits(w, at + 4, type.blockBytes(), blocks, 0, out, to);
            case Q5_0 -> fiveBits(w, at + 2, type.blockBytes(), blocks, 16, out, to);
            case Q5_1 -> fiveBits(w, at + 4, type.blockBytes(), blocks, 0, out, to);
            case IQ4_NL -> table(NON_LINEAR, w, at + 2, type.blockBytes(), blocks, out, to);
            default -> table(E2M1_TWICE, w, at + 1, type.blockBytes(), blocks, out, to);
        }
    }

    private static void eightBits(MemorySegment w, long at, int blocks, MemorySegment out, long to) {
        for (int block = 0; block < blocks; block++) {
            long from = at + 34L * block;
            long first = to + 32L * block;
            out.set(JAVA_LONG_UNALIGNED, first, w.get(JAVA_LONG_UNALIGNED, from));
            out.set(JAVA_LONG_UNALIGNED, first + 8, w.get(JAVA_LONG_UNALIGNED, from + 8));
            out.set(JAVA_LONG_UNALIGNED, first + 16, w.get(JAVA_LONG_UNALIGNED, from + 16));
            out.set(JAVA_LONG_UNALIGNED, first + 24, w.get(JAVA_LONG_UNALIGNED, from + 24));
        }
    }

    private static void fourBits(MemorySegment w, long at, int stride, int blocks, int offset, MemorySegment out, long to) {
        for (int block = 0; block < blocks; block++) {
            long from = at + (long) stride * block;
            long first = to + 32L * block;
            long low = w.get(JAVA_LONG_UNALIGNED, from);
            long high = w.get(JAVA_LONG_UNALIGNED, from + 8);
            out.set(JAVA_LONG_UNALIGNED, first, less(low & NIBBLES, offset));
            out.set(JAVA_LONG_UNALIGNED, first + 8, less(high & NIBBLES, offset));
            out.set(JAVA_LONG_UNALIGNED, first + 16, less(low >>> 4 & NIBBLES, offset));
            out.set(JAVA_LONG_UNALIGNED, first + 24, less(high >>> 4 & NIBBLES, offset));
        }
    }

    private static void fiveBits(MemorySegment w, long at, int stride, int blocks, int offset, MemorySegment out, long to) {
        for (int block = 0; block < blocks; block++) {
            long from = at + (long) stride * block;
            long first = to + 32L * block;
            int fifth = w.get(JAVA_INT_UNALIGNED, from);
            long low = w.get(JAVA_LONG_UNALIGNED, from + 4);
            long high = w.get(JAVA_LONG_UNALIGNED, from + 12);
            out.set(JAVA_LONG_UNALIGNED, first, less(low & NIBBLES | fifth(fifth), offset));
            out.set(JAVA_LONG_UNALIGNED, first + 8, less(high & NIBBLES | fifth(fifth >>> 8), offset));
            out.set(JAVA_LONG_UNALIGNED, first + 16, less(low >>> 4 & NIBBLES | fifth(fifth >>> 16), offset));
            out.set(JAVA_LONG_UNALIGNED, first + 24, less(high >>> 4 & NIBBLES | fifth(fifth >>> 24), offset));
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

    private static void table(ByteVector values, MemorySegment w, long at, int stride, int blocks, MemorySegment out, long to) {
        for (int block = 0; block < blocks; block++) {
            ByteVector pairs = ByteVector.fromMemorySegment(B, w, at + (long) stride * block, LITTLE_ENDIAN);
            long first = to + 32L * block;
            pairs.and((byte) 15).selectFrom(values).intoMemorySegment(out, first, LITTLE_ENDIAN);
            pairs.lanewise(VectorOperators.LSHR, 4).and((byte) 15).selectFrom(values).intoMemorySegment(out, first + HALF,
                    LITTLE_ENDIAN);
        }
    }

    @Override
    public void scales(MemorySegment w, long at, int blocks, float[] scales, int to, int minima, int stride) {
        if (type == DType.MXFP4) {
            powers(w, at, blocks, scales, to, stride);
            return;
        }
        halves(w, at, type.blockBytes(), blocks, scales, to, stride);
        if (minima()) {
            halves(w, at + 2, type.blockBytes(), blocks, scales, minima, stride);
        }
    }

    private static void halves(MemorySegment w, long at, int bytes, int blocks, float[] scales, int to, int stride) {
        for (int block = 0; block < blocks; block++) {
            scales[to + block * stride] = Float.float16ToFloat(w.get(JAVA_SHORT_UNALIGNED, at + (long) bytes * block));
        }
    }

    private static void powers(MemorySegment w, long at, int blocks, float[] scales, int to, int stride) {
        for (int block = 0; block < blocks; block++) {
            int exponent = w.get(JAVA_BYTE, at + 17L * block) & 0xff;
            // Half of the power of two, since codes are twice the values; the two smallest are subnormal.
            scales[to + block * stride] = Float.intBitsToFloat(exponent < 2 ? 0x0020_0000 << exponent : exponent - 1 << 23);
        }
    }
}
