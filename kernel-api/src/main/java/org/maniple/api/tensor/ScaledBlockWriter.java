package org.maniple.api.tensor;

import static org.maniple.api.tensor.BlockMemory.element;
import static org.maniple.api.tensor.BlockMemory.put;
import static org.maniple.api.tensor.BlockMemory.putHalf;
import static org.maniple.api.tensor.BlockMemory.putWord;

import java.lang.foreign.MemorySegment;

/** Writes blocks of 32 with one scale; what {@link ScaledBlocks} reads. Codes are chosen before the scale is rounded to F16. */
final class ScaledBlockWriter {

    private static final int HALF = ScaledBlocks.HALF;
    private static final int SIZE = 2 * HALF;
    private static final int E2M1_EXPONENT = 2;
    private static final int BIAS = 127;

    private ScaledBlockWriter() {}

    static void q80(MemorySegment blocks, long at, MemorySegment floats, long from) {
        float scale = Math.abs(largest(floats, from)) / 127;
        float inverse = inverse(scale);
        putHalf(blocks, at, scale);
        for (int i = 0; i < SIZE; i++) {
            float value = element(floats, from, i) * inverse;
            // Halves away from zero, as C's roundf.
            put(blocks, at + 2 + i, (int) (value + Math.copySign(0.5f, value)));
        }
    }

    static void q40(MemorySegment blocks, long at, MemorySegment floats, long from) {
        float scale = largest(floats, from) / -8;
        float inverse = inverse(scale);
        putHalf(blocks, at, scale);
        for (int i = 0; i < HALF; i++) {
            int low = Math.min(15, (int) (element(floats, from, i) * inverse + 8.5f));
            int high = Math.min(15, (int) (element(floats, from, i + HALF) * inverse + 8.5f));
            put(blocks, at + 2 + i, low | high << 4);
        }
    }

    static void q41(MemorySegment blocks, long at, MemorySegment floats, long from) {
        float minimum = smallest(floats, from);
        float scale = (highest(floats, from) - minimum) / 15;
        float inverse = inverse(scale);
        putHalf(blocks, at, scale);
        putHalf(blocks, at + 2, minimum);
        for (int i = 0; i < HALF; i++) {
            int low = Math.min(15, (int) ((element(floats, from, i) - minimum) * inverse + 0.5f));
            int high = Math.min(15, (int) ((element(floats, from, i + HALF) - minimum) * inverse + 0.5f));
            put(blocks, at + 4 + i, low | high << 4);
        }
    }

    static void q50(MemorySegment blocks, long at, MemorySegment floats, long from) {
        float scale = largest(floats, from) / -16;
        float inverse = inverse(scale);
        putHalf(blocks, at, scale);
        int fifth = 0;
        for (int i = 0; i < HALF; i++) {
            int low = Math.min(31, (int) (element(floats, from, i) * inverse + 16.5f));
            int high = Math.min(31, (int) (element(floats, from, i + HALF) * inverse + 16.5f));
            put(blocks, at + 6 + i, low & 15 | (high & 15) << 4);
            fifth |= low >> 4 << i | high >> 4 << i + HALF;
        }
        putWord(blocks, at + 2, fifth);
    }

    static void q51(MemorySegment blocks, long at, MemorySegment floats, long from) {
        float minimum = smallest(floats, from);
        float scale = (highest(floats, from) - minimum) / 31;
        float inverse = inverse(scale);
        putHalf(blocks, at, scale);
        putHalf(blocks, at + 2, minimum);
        int fifth = 0;
        for (int i = 0; i < HALF; i++) {
            int low = Math.min(31, (int) ((element(floats, from, i) - minimum) * inverse + 0.5f));
            int high = Math.min(31, (int) ((element(floats, from, i + HALF) - minimum) * inverse + 0.5f));
            put(blocks, at + 8 + i, low & 15 | (high & 15) << 4);
            fifth |= low >> 4 << i | high >> 4 << i + HALF;
        }
        putWord(blocks, at + 4, fifth);
    }

    /** The scale is then fitted to the codes, by least squares with the elements' squares as weights. */
    static void iq4nl(MemorySegment blocks, long at, MemorySegment floats, long from) {
        int[] values = ScaledBlocks.NON_LINEAR;
        float scale = largest(floats, from) / values[0];
        float product = 0;
        float square = 0;
        for (int i = 0; i < SIZE; i++) {
            float value = element(floats, from, i);
            float code = values[nearest(values, value, scale)];
            product += value * value * code * value;
            square += value * value * code * code;
        }
        float fitted = square == 0 ? 0 : product / square;
        putHalf(blocks, at, fitted);
        codes(values, fitted, blocks, at + 2, floats, from);
    }

    /** The exponent lets the largest element be one with the largest exponent that E2M1 has. */
    static void mxfp4(MemorySegment blocks, long at, MemorySegment floats, long from) {
        float size = Math.abs(largest(floats, from));
        int exponent = size == 0 ? 0 : Math.max(0, Math.getExponent(size) - E2M1_EXPONENT + BIAS);
        put(blocks, at, exponent);
        codes(ScaledBlocks.E2M1_TWICE, ScaledBlocks.halfPower(exponent), blocks, at + 1, floats, from);
    }

    private static void codes(int[] values, float scale, MemorySegment blocks, long at, MemorySegment floats, long from) {
        for (int i = 0; i < HALF; i++) {
            int low = nearest(values, element(floats, from, i), scale);
            int high = nearest(values, element(floats, from, i + HALF), scale);
            put(blocks, at + i, low | high << 4);
        }
    }

    /** The first of the nearest. */
    private static int nearest(int[] values, float value, float scale) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            if (Math.abs(values[i] * scale - value) < Math.abs(values[best] * scale - value)) {
                best = i;
            }
        }
        return best;
    }

    private static float inverse(float scale) {
        return scale == 0 ? 0 : 1 / scale;
    }

    /** The element that is farthest from zero, with its sign. */
    private static float largest(MemorySegment floats, long from) {
        float found = 0;
        for (int i = 0; i < SIZE; i++) {
            float value = element(floats, from, i);
            if (Math.abs(value) > Math.abs(found)) {
                found = value;
            }
        }
        return found;
    }

    private static float smallest(MemorySegment floats, long from) {
        float found = Float.MAX_VALUE;
        for (int i = 0; i < SIZE; i++) {
            found = Math.min(found, element(floats, from, i));
        }
        return found;
    }

    private static float highest(MemorySegment floats, long from) {
        float found = -Float.MAX_VALUE;
        for (int i = 0; i < SIZE; i++) {
            found = Math.max(found, element(floats, from, i));
        }
        return found;
    }
}
