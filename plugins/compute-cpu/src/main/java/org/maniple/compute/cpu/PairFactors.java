package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * What {@link InterleavedKernels} multiplies four bytes of codes with, of which two shorts have two bytes each. Sums of products that fit in a
 * short may be formed modulo 2^16 on the way there. So the codes of a short need not be cut out of it: if {@code v = a + 16 b} then
 * {@code a p + b q = v p + (v >>> 4)(q - 16 p)}, and likewise with more codes. A factor is a pair of shorts in the bits of a float, the lower one
 * for the first two of the bytes.
 */
final class PairFactors {

    /** Floats of a block for codes of four bits: four factors for each four bytes, then {@link #OFFSET}, {@link #SCALE}, {@link #LACK} and
     * {@link #SUM}. */
    static final int FOUR_BITS = 20;
    /** What an int begins with from which both shorts are summed, so that codes count as eight less. */
    static final int OFFSET = 16;
    /** The scale. */
    static final int SCALE = 17;
    /** Eight times the sum of the activations: what such codes lack. */
    static final int LACK = 18;
    /** The sum of the activations. */
    static final int SUM = 19;
    /** For codes of eight bits: two factors for each four bytes and what is added to their products, then the scale. */
    static final int EIGHT_BITS = 28;
    /** The scale. */
    static final int SCALE_OF_EIGHT_BITS = 24;

    private static final int BLOCK = BlockUnpacker.ACTIVATIONS;
    private static final int HALF = BLOCK / 2;

    private PairFactors() {}

    /**
     * Factors for blocks of codes of four bits, of whose bytes the lower bits are an element of the first half of a block.
     *
     * @param x integers as floats, at {@code codes}, their scales and their sums
     * @param to where the factors of the first block begin
     */
    static void fourBits(MemorySegment x, long codes, long scales, long sums, int blocks, long to) {
        for (int i = 0; i < blocks; i++) {
            long block = to + 4L * FOUR_BITS * i;
            for (int j = 0; j < HALF / 4; j++) {
                int a = pair(x, codes, BLOCK * i + 4 * j);
                int b = pair(x, codes, BLOCK * i + 4 * j + HALF);
                int c = pair(x, codes, BLOCK * i + 4 * j + 1);
                int d = pair(x, codes, BLOCK * i + 4 * j + HALF + 1);
                long at = block + 16L * j;
                x.set(JAVA_INT_UNALIGNED, at, a);
                x.set(JAVA_INT_UNALIGNED, at + 4, less(b, a, 4));
                x.set(JAVA_INT_UNALIGNED, at + 8, less(c, b, 4));
                x.set(JAVA_INT_UNALIGNED, at + 12, less(d, c, 4));
            }
            float sum = x.get(JAVA_FLOAT_UNALIGNED, sums + 4L * i);
            x.set(JAVA_INT_UNALIGNED, block + 4L * OFFSET, -8 * (int) sum << 16);
            x.set(JAVA_FLOAT_UNALIGNED, block + 4L * SCALE, x.get(JAVA_FLOAT_UNALIGNED, scales + 4L * i));
            x.set(JAVA_FLOAT_UNALIGNED, block + 4L * LACK, 8 * sum);
            x.set(JAVA_FLOAT_UNALIGNED, block + 4L * SUM, sum);
        }
    }

    /** Factors for blocks of codes of one byte, which are 128 more than they are. */
    static void eightBits(MemorySegment x, long codes, long scales, int blocks, long to) {
        for (int i = 0; i < blocks; i++) {
            long block = to + 4L * EIGHT_BITS * i;
            for (int j = 0; j < BLOCK / 4; j++) {
                int a = pair(x, codes, BLOCK * i + 4 * j);
                int b = pair(x, codes, BLOCK * i + 4 * j + 1);
                long at = block + 12L * j;
                x.set(JAVA_INT_UNALIGNED, at, a);
                x.set(JAVA_INT_UNALIGNED, at + 4, less(b, a, 8));
                x.set(JAVA_INT_UNALIGNED, at + 8, less(InterleavedKernels.BIAS, add(a, b), 7));
            }
            x.set(JAVA_FLOAT_UNALIGNED, block + 4L * SCALE_OF_EIGHT_BITS, x.get(JAVA_FLOAT_UNALIGNED, scales + 4L * i));
        }
    }

    /** Two elements, of which the second is two further, as shorts. */
    private static int pair(MemorySegment x, long codes, int index) {
        int first = (int) x.get(JAVA_FLOAT_UNALIGNED, codes + 4L * index);
        int second = (int) x.get(JAVA_FLOAT_UNALIGNED, codes + 4L * index + 8);
        return first & 0xffff | second << 16;
    }

    private static int add(int a, int b) {
        return a + b & 0xffff | (a >>> 16) + (b >>> 16) << 16;
    }

    /** A pair less another one that is shifted. */
    private static int less(int a, int b, int shift) {
        return a - (b << shift) & 0xffff | (a >>> 16) - (b >>> 16 << shift) << 16;
    }
}
