package org.maniple.api.tensor;

import static org.maniple.api.tensor.BlockMemory.half;
import static org.maniple.api.tensor.BlockMemory.put;
import static org.maniple.api.tensor.BlockMemory.signed;
import static org.maniple.api.tensor.BlockMemory.unsigned;
import static org.maniple.api.tensor.BlockMemory.word;

import java.lang.foreign.MemorySegment;

/**
 * Decodes blocks of 32 with one scale. Of two elements whose 4-bit codes share a byte, one is in the first half of the block (low bits) and one in the
 * second (high bits).
 */
final class ScaledBlocks {

    static final int HALF = 16;
    private static final int SIZE = 32;

    /** The values of IQ4_NL's codes. */
    static final int[] NON_LINEAR = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    /** Twice the values of MXFP4's codes; minus zero is zero. */
    static final int[] E2M1_TWICE = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

    private ScaledBlocks() {}

    static void q80(MemorySegment blocks, long at, MemorySegment out, long to) {
        float scale = half(blocks, at);
        for (int i = 0; i < SIZE; i++) {
            put(out, to, i, signed(blocks, at + 2 + i) * scale);
        }
    }

    static void q40(MemorySegment blocks, long at, MemorySegment out, long to) {
        float scale = half(blocks, at);
        for (int i = 0; i < HALF; i++) {
            int pair = unsigned(blocks, at + 2 + i);
            put(out, to, i, ((pair & 15) - 8) * scale);
            put(out, to, i + HALF, ((pair >> 4) - 8) * scale);
        }
    }

    static void q41(MemorySegment blocks, long at, MemorySegment out, long to) {
        float scale = half(blocks, at);
        float minimum = half(blocks, at + 2);
        for (int i = 0; i < HALF; i++) {
            int pair = unsigned(blocks, at + 4 + i);
            put(out, to, i, (pair & 15) * scale + minimum);
            put(out, to, i + HALF, (pair >> 4) * scale + minimum);
        }
    }

    static void q50(MemorySegment blocks, long at, MemorySegment out, long to) {
        float scale = half(blocks, at);
        int fifth = word(blocks, at + 2);
        for (int i = 0; i < HALF; i++) {
            int pair = unsigned(blocks, at + 6 + i);
            put(out, to, i, (low(pair, fifth, i) - 16) * scale);
            put(out, to, i + HALF, (high(pair, fifth, i) - 16) * scale);
        }
    }

    static void q51(MemorySegment blocks, long at, MemorySegment out, long to) {
        float scale = half(blocks, at);
        float minimum = half(blocks, at + 2);
        int fifth = word(blocks, at + 4);
        for (int i = 0; i < HALF; i++) {
            int pair = unsigned(blocks, at + 8 + i);
            put(out, to, i, low(pair, fifth, i) * scale + minimum);
            put(out, to, i + HALF, high(pair, fifth, i) * scale + minimum);
        }
    }

    private static int low(int pair, int fifth, int i) {
        return pair & 15 | (fifth >>> i & 1) << 4;
    }

    private static int high(int pair, int fifth, int i) {
        return pair >> 4 | (fifth >>> i + HALF & 1) << 4;
    }

    static void iq4nl(MemorySegment blocks, long at, MemorySegment out, long to) {
        table(NON_LINEAR, half(blocks, at), blocks, at + 2, out, to);
    }

    static void mxfp4(MemorySegment blocks, long at, MemorySegment out, long to) {
        table(E2M1_TWICE, halfPower(unsigned(blocks, at)), blocks, at + 1, out, to);
    }

    private static void table(int[] values, float scale, MemorySegment blocks, long codes, MemorySegment out, long to) {
        for (int i = 0; i < HALF; i++) {
            int pair = unsigned(blocks, codes + i);
            put(out, to, i, values[pair & 15] * scale);
            put(out, to, i + HALF, values[pair >> 4] * scale);
        }
    }

    /** Half of the power of two that an E8M0 exponent (bias 127) stands for; the two smallest are subnormal. */
    static float halfPower(int exponent) {
        return Float.intBitsToFloat(exponent < 2 ? 0x0020_0000 << exponent : exponent - 1 << 23);
    }
}
