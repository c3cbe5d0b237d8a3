package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.maniple.api.tensor.DType;

/**
 * Blocks of 256 elements whose scales are quantised themselves. Eight codes are taken from a long at once.
 *
 * @param type one of these types
 */
record SuperBlocks(DType type) implements BlockUnpacker {

    private static final long NIBBLES = 0x0f0f0f0f0f0f0f0fL;
    private static final long PAIRS = 0x0303030303030303L;
    private static final long ONES = 0x0101010101010101L;

    @Override
    public int run() {
        return type == DType.Q4_K || type == DType.Q5_K ? ACTIVATIONS : ACTIVATIONS / 2;
    }

    @Override
    public boolean minima() {
        return type == DType.Q2_K || type == DType.Q4_K || type == DType.Q5_K;
    }

    @Override
    public void codes(MemorySegment w, long at, int blocks, MemorySegment out, long to) {
        for (int block = 0; block < blocks; block++) {
            long from = at + (long) type.blockBytes() * block;
            long first = to + 256L * block;
            switch (type) {
                case Q2_K -> q2k(w, from, out, first);
                case Q3_K -> q3k(w, from, out, first);
                case Q4_K -> q4k(w, from, out, first);
                case Q5_K -> q5k(w, from, out, first);
                default -> q6k(w, from, out, first);
            }
        }
    }

    /** A byte has the codes of four elements, 32 apart; those of elements 0 to 127 come first. */
    private static void q2k(MemorySegment w, long at, MemorySegment out, long to) {
        for (int i = 0; i < 64; i += 8) {
            long four = w.get(JAVA_LONG_UNALIGNED, at + 16 + i);
            long first = to + (i & 32) * 4L + (i & 31);
            for (int part = 0; part < 4; part++) {
                out.set(JAVA_LONG_UNALIGNED, first + 32L * part, four >>> 2 * part & PAIRS);
            }
        }
    }

    /** As Q2_K, with a third bit in the bytes of a mask, which stands for 4 if it is not set. */
    private static void q3k(MemorySegment w, long at, MemorySegment out, long to) {
        for (int i = 0; i < 64; i += 8) {
            long four = w.get(JAVA_LONG_UNALIGNED, at + 32 + i);
            long third = w.get(JAVA_LONG_UNALIGNED, at + (i & 31)) >>> (i & 32) / 8;
            long first = to + (i & 32) * 4L + (i & 31);
            for (int part = 0; part < 4; part++) {
                long code = four >>> 2 * part & PAIRS | (third >>> part & ONES) << 2;
                out.set(JAVA_LONG_UNALIGNED, first + 32L * part, ScaledBlocks.less(code, 4));
            }
        }
    }

    /** A byte has the codes of two elements, 32 apart. */
    private static void q4k(MemorySegment w, long at, MemorySegment out, long to) {
        for (int i = 0; i < 128; i += 8) {
            long pairs = w.get(JAVA_LONG_UNALIGNED, at + 16 + i);
            long first = to + (i & -32) * 2L + (i & 31);
            out.set(JAVA_LONG_UNALIGNED, first, pairs & NIBBLES);
            out.set(JAVA_LONG_UNALIGNED, first + 32, pairs >>> 4 & NIBBLES);
        }
    }

    /** As Q4_K, with a fifth bit in 32 bytes, one bit for each 32 elements. */
    private static void q5k(MemorySegment w, long at, MemorySegment out, long to) {
        for (int i = 0; i < 128; i += 8) {
            long pairs = w.get(JAVA_LONG_UNALIGNED, at + 48 + i);
            long fifth = w.get(JAVA_LONG_UNALIGNED, at + 16 + (i & 31)) >>> (i >> 5) * 2;
            long first = to + (i & -32) * 2L + (i & 31);
            out.set(JAVA_LONG_UNALIGNED, first, pairs & NIBBLES | (fifth & ONES) << 4);
            out.set(JAVA_LONG_UNALIGNED, first + 32, pairs >>> 4 & NIBBLES | (fifth >>> 1 & ONES) << 4);
        }
    }

    /** Of 128 elements, 64 bytes have the lower four bits, element 64 behind element 0; 32 bytes the upper two, as in Q2_K. */
    private static void q6k(MemorySegment w, long at, MemorySegment out, long to) {
        for (int i = 0; i < 128; i += 8) {
            int side = i & 64;
            int column = i & 63;
            long pairs = w.get(JAVA_LONG_UNALIGNED, at + i);
            long high = w.get(JAVA_LONG_UNALIGNED, at + 128 + side / 2 + (i & 31)) >>> (column & 32) / 16;
            long first = to + 2L * side + column;
            out.set(JAVA_LONG_UNALIGNED, first, ScaledBlocks.less(pairs & NIBBLES | (high & PAIRS) << 4, 32));
            out.set(JAVA_LONG_UNALIGNED, first + 64, ScaledBlocks.less(pairs >>> 4 & NIBBLES | (high >>> 4 & PAIRS) << 4, 32));
        }
    }

    @Override
    public void scales(MemorySegment w, long at, int blocks, float[] scales, int to, int minima, int stride) {
        int step = type.blockElements() / run() * stride;
        for (int block = 0; block < blocks; block++) {
            long from = at + (long) type.blockBytes() * block;
            switch (type) {
                case Q2_K -> q2kScales(w, from, scales, to + block * step, minima + block * step, stride);
                case Q3_K -> q3kScales(w, from, scales, to + block * step, stride);
                case Q6_K -> q6kScales(w, from, scales, to + block * step, stride);
                default -> q45kScales(w, from, scales, to + block * step, minima + block * step, stride);
            }
        }
    }

    private static void q2kScales(MemorySegment w, long at, float[] scales, int to, int minima, int stride) {
        float scale = half(w, at + 80);
        float minimum = half(w, at + 82);
        for (int i = 0; i < 16; i++) {
            int factors = unsigned(w, at + i);
            scales[to + i * stride] = scale * (factors & 15);
            scales[minima + i * stride] = -(minimum * (factors >> 4));
        }
    }

    private static void q3kScales(MemorySegment w, long at, float[] scales, int to, int stride) {
        float scale = half(w, at + 108);
        for (int i = 0; i < 16; i++) {
            int low = unsigned(w, at + 96 + (i & 7)) >> (i < 8 ? 0 : 4) & 15;
            int high = unsigned(w, at + 104 + (i & 3)) >> 2 * (i >> 2) & 3;
            scales[to + i * stride] = scale * ((low | high << 4) - 32);
        }
    }

    private static void q6kScales(MemorySegment w, long at, float[] scales, int to, int stride) {
        float scale = half(w, at + 208);
        for (int i = 0; i < 16; i++) {
            scales[to + i * stride] = scale * w.get(JAVA_BYTE, at + 192 + i);
        }
    }

    private static void q45kScales(MemorySegment w, long at, float[] scales, int to, int minima, int stride) {
        float scale = half(w, at);
        float minimum = half(w, at + 2);
        for (int i = 0; i < 8; i++) {
            scales[to + i * stride] = scale * subScale(w, at + 4, i);
            scales[minima + i * stride] = -(minimum * subMinimum(w, at + 4, i));
        }
    }

    /** Six bits; of the upper four scales, the two high ones are with the lower four. */
    private static int subScale(MemorySegment w, long factors, int sub) {
        return sub < 4
                ? unsigned(w, factors + sub) & 63
                : unsigned(w, factors + sub + 4) & 15 | unsigned(w, factors + sub - 4) >> 6 << 4;
    }

    private static int subMinimum(MemorySegment w, long factors, int sub) {
        return sub < 4
                ? unsigned(w, factors + sub + 4) & 63
                : unsigned(w, factors + sub + 4) >> 4 | unsigned(w, factors + sub) >> 6 << 4;
    }

    private static int unsigned(MemorySegment w, long at) {
        return w.get(JAVA_BYTE, at) & 0xff;
    }

    private static float half(MemorySegment w, long at) {
        return Float.float16ToFloat(w.get(JAVA_SHORT_UNALIGNED, at));
    }
}
