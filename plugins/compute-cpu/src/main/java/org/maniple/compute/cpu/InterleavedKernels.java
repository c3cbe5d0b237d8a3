package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * What {@link InterleavedProduct} does with vectors. Codes are multiplied as floats, which is exact: see {@link BlockKernels}.
 *
 * <p>For what methods with vectors look like, see {@link WeightRows}.
 */
final class InterleavedKernels {

    private static final int BLOCK = BlockUnpacker.ACTIVATIONS;
    private static final int HALF = BLOCK / 2;
    private static final int GROUP = InterleavedRows.GROUP;
    /** As many bytes as lanes, or twice as many, since there are no vectors of 32 bits. */
    private static final VectorSpecies<Byte> B = ByteVector.SPECIES_512.withShape(VectorShape.forBitSize(Math.max(64,
            Lanes.BITS / 4)));
    /** The bits of a row's number that tell its place in a vector of bytes. */
    private static final int INSIDE = B.length() - 1;

    private InterleavedKernels() {}

    /**
     * Sums of products of codes of one byte, block by block: lanes are rows of weights.
     *
     * @param at where the codes of the first block begin
     * @param stride bytes from a block to the next
     * @param part the first row of weights
     * @param x codes of a row of activations as floats
     * @param runs blocks
     * @param sums receives a vector for each block, 16 floats apart
     */
    static void eightBits(MemorySegment w, long at, long stride, int part, MemorySegment x, long x0, int runs, float[] sums, int to) {
        long begin = at + (part & ~INSIDE);
        boolean odd = (part & INSIDE) != 0;
        for (int i = 0; i < runs; i++) {
            long from = begin + i * stride;
            long first = 4L * BLOCK * i;
            FloatVector a = FloatVector.zero(Lanes.F);
            FloatVector b = a;
            FloatVector c = a;
            FloatVector d = a;
            for (int j = 0; j < BLOCK; j += 4) {
                long k = x0 + first + 4L * j;
                ByteVector w0Bytes = ByteVector.fromMemorySegment(B, w, from + GROUP * j, LITTLE_ENDIAN);
                FloatVector w0 = (FloatVector) (B.length() > Lanes.L && odd
                        ? w0Bytes.convertShape(VectorOperators.B2F, Lanes.F, 1)
                        : w0Bytes.convertShape(VectorOperators.B2F, Lanes.F, 0));
                a = w0.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, k)), a);
                ByteVector w1Bytes = ByteVector.fromMemorySegment(B, w, from + GROUP * (j + 1), LITTLE_ENDIAN);
                FloatVector w1 = (FloatVector) (B.length() > Lanes.L && odd
                        ? w1Bytes.convertShape(VectorOperators.B2F, Lanes.F, 1)
                        : w1Bytes.convertShape(VectorOperators.B2F, Lanes.F, 0));
                b = w1.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, k + 4)), b);
                ByteVector w2Bytes = ByteVector.fromMemorySegment(B, w, from + GROUP * (j + 2), LITTLE_ENDIAN);
                FloatVector w2 = (FloatVector) (B.length() > Lanes.L && odd
                        ? w2Bytes.convertShape(VectorOperators.B2F, Lanes.F, 1)
                        : w2Bytes.convertShape(VectorOperators.B2F, Lanes.F, 0));
                c = w2.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, k + 8)), c);
                ByteVector w3Bytes = ByteVector.fromMemorySegment(B, w, from + GROUP * (j + 3), LITTLE_ENDIAN);
                FloatVector w3 = (FloatVector) (B.length() > Lanes.L && odd
                        ? w3Bytes.convertShape(VectorOperators.B2F, Lanes.F, 1)
                        : w3Bytes.convertShape(VectorOperators.B2F, Lanes.F, 0));
                d = w3.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, k + 12)), d);
            }
            a.add(b).add(c.add(d)).intoArray(sums, to + GROUP * i);
        }
    }

    /**
     * As above, of four rows of activations.
     *
     * @param each floats from the sums of a row of activations to those of the next
     */
    static void eightBits(MemorySegment w, long at, long stride, int part, MemorySegment x, long x0, long x1, long x2, long x3,
            int runs, float[] sums, int to, int each) {
        long begin = at + (part & ~INSIDE);
        boolean odd = (part & INSIDE) != 0;
        for (int i = 0; i < runs; i++) {
            long from = begin + i * stride;
            long first = 4L * BLOCK * i;
            FloatVector a = FloatVector.zero(Lanes.F);
            FloatVector b = a;
            FloatVector c = a;
            FloatVector d = a;
            FloatVector e = a;
            FloatVector f = a;
            FloatVector g = a;
            FloatVector h = a;
            for (int j = 0; j < BLOCK; j += 2) {
                long k = first + 4L * j;
                ByteVector w0Bytes = ByteVector.fromMemorySegment(B, w, from + GROUP * j, LITTLE_ENDIAN);
                FloatVector w0 = (FloatVector) (B.length() > Lanes.L && odd
                        ? w0Bytes.convertShape(VectorOperators.B2F, Lanes.F, 1)
                        : w0Bytes.convertShape(VectorOperators.B2F, Lanes.F, 0));
                a = w0.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x0 + k)), a);
                b = w0.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x1 + k)), b);
                c = w0.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x2 + k)), c);
                d = w0.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x3 + k)), d);
                ByteVector w1Bytes = ByteVector.fromMemorySegment(B, w, from + GROUP * (j + 1), LITTLE_ENDIAN);
                FloatVector w1 = (FloatVector) (B.length() > Lanes.L && odd
                        ? w1Bytes.convertShape(VectorOperators.B2F, Lanes.F, 1)
                        : w1Bytes.convertShape(VectorOperators.B2F, Lanes.F, 0));
                e = w1.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x0 + k + 4)), e);
                f = w1.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x1 + k + 4)), f);
                g = w1.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x2 + k + 4)), g);
                h = w1.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x3 + k + 4)), h);
            }
            a.add(e).intoArray(sums, to + GROUP * i);
            b.add(f).intoArray(sums, to + each + GROUP * i);
            c.add(g).intoArray(sums, to + 2 * each + GROUP * i);
            d.add(h).intoArray(sums, to + 3 * each + GROUP * i);
        }
    }

    /** Sums of products of codes of four bits; the lower bits of a byte are an element of the first half of a block. */
    static void fourBits(MemorySegment w, long at, long stride, int part, MemorySegment x, long x0, int runs, float[] sums, int to) {
        long begin = at + (part & ~INSIDE);
        boolean odd = (part & INSIDE) != 0;
        for (int i = 0; i < runs; i++) {
            long from = begin + i * stride;
            long first = 4L * BLOCK * i;
            FloatVector a = FloatVector.zero(Lanes.F);
            FloatVector b = a;
            FloatVector c = a;
            FloatVector d = a;
            for (int j = 0; j < HALF; j += 2) {
                long k = x0 + first + 4L * j;
                ByteVector bytes0 = ByteVector.fromMemorySegment(B, w, from + GROUP * j, LITTLE_ENDIAN);
                IntVector pair0 = (IntVector) (B.length() > Lanes.L && odd
                        ? bytes0.convertShape(VectorOperators.ZERO_EXTEND_B2I, Lanes.I, 1)
                        : bytes0.convertShape(VectorOperators.ZERO_EXTEND_B2I, Lanes.I, 0));
                a = ((FloatVector) pair0.and(15).convert(VectorOperators.I2F, 0))
                        .fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, k)), a);
                b = ((FloatVector) pair0.lanewise(VectorOperators.LSHR, 4).convert(VectorOperators.I2F, 0))
                        .fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, k + 4L * HALF)), b);
                ByteVector bytes1 = ByteVector.fromMemorySegment(B, w, from + GROUP * (j + 1), LITTLE_ENDIAN);
                IntVector pair1 = (IntVector) (B.length() > Lanes.L && odd
                        ? bytes1.convertShape(VectorOperators.ZERO_EXTEND_B2I, Lanes.I, 1)
                        : bytes1.convertShape(VectorOperators.ZERO_EXTEND_B2I, Lanes.I, 0));
                c = ((FloatVector) pair1.and(15).convert(VectorOperators.I2F, 0))
                        .fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, k + 4)), c);
                d = ((FloatVector) pair1.lanewise(VectorOperators.LSHR, 4).convert(VectorOperators.I2F, 0))
                        .fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, k + 4L * (HALF + 1))), d);
            }
            a.add(b).add(c.add(d)).intoArray(sums, to + GROUP * i);
        }
    }

    /** As above, of four rows of activations. */
    static void fourBits(MemorySegment w, long at, long stride, int part, MemorySegment x, long x0, long x1, long x2, long x3,
            int runs, float[] sums, int to, int each) {
        long begin = at + (part & ~INSIDE);
        boolean odd = (part & INSIDE) != 0;
        for (int i = 0; i < runs; i++) {
            long from = begin + i * stride;
            long first = 4L * BLOCK * i;
            FloatVector a = FloatVector.zero(Lanes.F);
            FloatVector b = a;
            FloatVector c = a;
            FloatVector d = a;
            FloatVector e = a;
            FloatVector f = a;
            FloatVector g = a;
            FloatVector h = a;
            for (int j = 0; j < HALF; j++) {
                long k = first + 4L * j;
                ByteVector bytes = ByteVector.fromMemorySegment(B, w, from + GROUP * j, LITTLE_ENDIAN);
                IntVector pair = (IntVector) (B.length() > Lanes.L && odd
                        ? bytes.convertShape(VectorOperators.ZERO_EXTEND_B2I, Lanes.I, 1)
                        : bytes.convertShape(VectorOperators.ZERO_EXTEND_B2I, Lanes.I, 0));
                FloatVector low = (FloatVector) pair.and(15).convert(VectorOperators.I2F, 0);
                a = low.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x0 + k)), a);
                b = low.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x1 + k)), b);
                c = low.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x2 + k)), c);
                d = low.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x3 + k)), d);
                FloatVector high = (FloatVector) pair.lanewise(VectorOperators.LSHR, 4).convert(VectorOperators.I2F, 0);
                e = high.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x0 + k + 4L * HALF)), e);
                f = high.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x1 + k + 4L * HALF)), f);
                g = high.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x2 + k + 4L * HALF)), g);
                h = high.fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, x3 + k + 4L * HALF)), h);
            }
            a.add(e).intoArray(sums, to + GROUP * i);
            b.add(f).intoArray(sums, to + each + GROUP * i);
            c.add(g).intoArray(sums, to + 2 * each + GROUP * i);
            d.add(h).intoArray(sums, to + 3 * each + GROUP * i);
        }
    }

    /**
     * Adds blocks to results, each times its scales.
     *
     * @param sums where the sums of the first block are
     * @param at where its scales are
     * @param xScales where the scales of the activations begin
     * @param to the results
     */
    static void add(float[] floats, int sums, MemorySegment w, long at, long stride, MemorySegment x, long xScales, int runs, int to) {
        FloatVector total = FloatVector.fromArray(Lanes.F, floats, to);
        for (int i = 0; i < runs; i++) {
            float scale = x.get(JAVA_FLOAT_UNALIGNED, xScales + 4L * i);
            total = FloatVector.fromArray(Lanes.F, floats, sums + GROUP * i)
                    .fma(FloatVector.fromMemorySegment(Lanes.F, w, at + i * stride, LITTLE_ENDIAN).mul(scale), total);
        }
        total.intoArray(floats, to);
    }

    /** As {@link #add}, with minima, which follow after the scales. */
    static void addWithMinima(float[] floats, int sums, MemorySegment w, long at, long stride, MemorySegment x, long xScales,
            long xSums, int runs, int to) {
        FloatVector total = FloatVector.fromArray(Lanes.F, floats, to);
        for (int i = 0; i < runs; i++) {
            float scale = x.get(JAVA_FLOAT_UNALIGNED, xScales + 4L * i);
            long from = at + i * stride;
            total = FloatVector.fromArray(Lanes.F, floats, sums + GROUP * i)
                    .fma(FloatVector.fromMemorySegment(Lanes.F, w, from, LITTLE_ENDIAN).mul(scale), total);
            total = FloatVector.fromMemorySegment(Lanes.F, w, from + 4L * GROUP, LITTLE_ENDIAN).mul(scale)
                    .fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, xSums + 4L * i)), total);
        }
        total.intoArray(floats, to);
    }
}
