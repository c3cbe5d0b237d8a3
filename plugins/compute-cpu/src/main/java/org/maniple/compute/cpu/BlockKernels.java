package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * What {@link BlockProduct} does with vectors. Codes are multiplied as floats: their products and the sums of a block stay below 2^24, so that
 * they are exact in whatever order they are formed.
 *
 * <p>For what methods with vectors look like, see {@link WeightRows}.
 */
final class BlockKernels {

    /** Rows of weights of one call of {@link #tile}. */
    static final int TILE = 8;

    private static final int BLOCK = BlockUnpacker.ACTIVATIONS;
    private static final int COUNT = Lanes.COUNT;
    /** As many bytes as lanes, or twice as many, since there are no vectors of 32 bits. */
    private static final VectorSpecies<Byte> B = ByteVector.SPECIES_512.withShape(VectorShape.forBitSize(Math.max(64,
            Lanes.BITS / 4)));
    private static final int STEP = B.length();

    private BlockKernels() {}

    /**
     * Sums of products of codes, for each 32 of a row.
     *
     * @param w codes
     * @param stride bytes from 32 codes to the next
     * @param x codes as floats
     * @param runs how many
     * @param sums receives the sum of run {@code i} at {@code to + 16 i}
     */
    static void sums(MemorySegment w, long at, long stride, MemorySegment x, long xAt, int runs, float[] sums, int to) {
        for (int i = 0; i < runs; i++) {
            FloatVector sum = FloatVector.zero(Lanes.F);
            for (int j = 0; j < BLOCK; j += STEP) {
                ByteVector codes = ByteVector.fromMemorySegment(B, w, at + i * stride + j, LITTLE_ENDIAN);
                long x0 = xAt + 4L * (i * BLOCK + j);
                sum = ((FloatVector) codes.convertShape(VectorOperators.B2F, Lanes.F, 0))
                        .fma(FloatVector.fromMemorySegment(Lanes.F, x, x0, LITTLE_ENDIAN), sum);
                if (STEP > Lanes.L) {
                    sum = ((FloatVector) codes.convertShape(VectorOperators.B2F, Lanes.F, 1))
                            .fma(FloatVector.fromMemorySegment(Lanes.F, x, x0 + 4L * Lanes.L, LITTLE_ENDIAN), sum);
                }
            }
            sums[to + COUNT * i] = sum.reduceLanes(VectorOperators.ADD);
        }
    }

    /** As {@link #sums}, for each 16 of a row whose codes follow each other. */
    static void halfSums(MemorySegment w, long at, MemorySegment x, long xAt, int runs, float[] sums, int to) {
        for (int i = 0; i < runs; i++) {
            FloatVector sum = FloatVector.zero(Lanes.F);
            for (int j = 0; j < BLOCK / 2; j += STEP) {
                ByteVector codes = ByteVector.fromMemorySegment(B, w, at + i * (BLOCK / 2) + j, LITTLE_ENDIAN);
                long x0 = xAt + 4L * (i * (BLOCK / 2) + j);
                sum = ((FloatVector) codes.convertShape(VectorOperators.B2F, Lanes.F, 0))
                        .fma(FloatVector.fromMemorySegment(Lanes.F, x, x0, LITTLE_ENDIAN), sum);
                if (STEP > Lanes.L) {
                    sum = ((FloatVector) codes.convertShape(VectorOperators.B2F, Lanes.F, 1))
                            .fma(FloatVector.fromMemorySegment(Lanes.F, x, x0 + 4L * Lanes.L, LITTLE_ENDIAN), sum);
                }
            }
            sums[to + COUNT * i] = sum.reduceLanes(VectorOperators.ADD);
        }
    }

    /**
     * Adds runs, each times its scales: lanes are rows of weights.
     *
     * @param floats sums, scales and results; runs are 16 floats apart
     * @param xScales the scales of the row of activations
     * @param shift 1 if two runs share a scale of activations
     * @param to receives a vector of results
     */
    static void add(float[] floats, int sums, int scales, MemorySegment x, long xScales, int shift, int from, int end, int to) {
        FloatVector total = FloatVector.zero(Lanes.F);
        for (int i = from; i < end; i++) {
            float scale = x.get(JAVA_FLOAT_UNALIGNED, xScales + 4L * (i >> shift));
            total = FloatVector.fromArray(Lanes.F, floats, sums + COUNT * i)
                    .fma(FloatVector.fromArray(Lanes.F, floats, scales + COUNT * i).mul(scale), total);
        }
        total.intoArray(floats, to);
    }

    /**
     * As {@link #add}, with minima.
     *
     * @param xSums the sums of the runs of activations
     */
    static void addWithMinima(float[] floats, int sums, int scales, int minima, MemorySegment x, long xScales, long xSums,
            int shift, int from, int end, int to) {
        FloatVector total = FloatVector.zero(Lanes.F);
        for (int i = from; i < end; i++) {
            float scale = x.get(JAVA_FLOAT_UNALIGNED, xScales + 4L * (i >> shift));
            total = FloatVector.fromArray(Lanes.F, floats, sums + COUNT * i)
                    .fma(FloatVector.fromArray(Lanes.F, floats, scales + COUNT * i).mul(scale), total);
            total = FloatVector.fromArray(Lanes.F, floats, minima + COUNT * i).mul(scale)
                    .fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, xSums + 4L * i)), total);
        }
        total.intoArray(floats, to);
    }

    /** Codes as floats; their number is a multiple of 16. */
    static void floats(MemorySegment codes, long at, int count, float[] out, int to) {
        for (int i = 0; i < count; i += STEP) {
            ByteVector bytes = ByteVector.fromMemorySegment(B, codes, at + i, LITTLE_ENDIAN);
            ((FloatVector) bytes.convertShape(VectorOperators.B2F, Lanes.F, 0)).intoArray(out, to + i);
            if (STEP > Lanes.L) {
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, Lanes.F, 1)).intoArray(out, to + i + Lanes.L);
            }
        }
    }

    /**
     * Sums of products of codes of {@value #TILE} rows of weights with a vector of rows of activations.
     *
     * @param w codes of a row of weights as floats
     * @param stride floats from a row of weights to the next
     * @param x codes of activations, 16 rows together
     * @param length of a run
     * @param runs how many
     * @param sums receives for each run a vector for each row of weights
     */
    static void tile(float[] w, int at, int stride, MemorySegment x, long xAt, int length, int runs, float[] sums, int to) {
        for (int i = 0; i < runs; i++) {
            FloatVector a = FloatVector.zero(Lanes.F);
            FloatVector b = a;
            FloatVector c = a;
            FloatVector d = a;
            FloatVector e = a;
            FloatVector f = a;
            FloatVector g = a;
            FloatVector h = a;
            for (int k = i * length; k < (i + 1) * length; k++) {
                FloatVector v = FloatVector.fromMemorySegment(Lanes.F, x, xAt + 4L * COUNT * k, LITTLE_ENDIAN);
                int from = at + k;
                a = v.fma(FloatVector.broadcast(Lanes.F, w[from]), a);
                b = v.fma(FloatVector.broadcast(Lanes.F, w[from + stride]), b);
                c = v.fma(FloatVector.broadcast(Lanes.F, w[from + 2 * stride]), c);
                d = v.fma(FloatVector.broadcast(Lanes.F, w[from + 3 * stride]), d);
                e = v.fma(FloatVector.broadcast(Lanes.F, w[from + 4 * stride]), e);
                f = v.fma(FloatVector.broadcast(Lanes.F, w[from + 5 * stride]), f);
                g = v.fma(FloatVector.broadcast(Lanes.F, w[from + 6 * stride]), g);
                h = v.fma(FloatVector.broadcast(Lanes.F, w[from + 7 * stride]), h);
            }
            int first = to + i * TILE * Lanes.L;
            a.intoArray(sums, first);
            b.intoArray(sums, first + Lanes.L);
            c.intoArray(sums, first + 2 * Lanes.L);
            d.intoArray(sums, first + 3 * Lanes.L);
            e.intoArray(sums, first + 4 * Lanes.L);
            f.intoArray(sums, first + 5 * Lanes.L);
            g.intoArray(sums, first + 6 * Lanes.L);
            h.intoArray(sums, first + 7 * Lanes.L);
        }
    }

    /**
     * Adds runs to a result, each times its scales: lanes are rows of activations.
     *
     * @param sums where the sums of the row of weights begin, as {@link #tile} writes them
     * @param scale where the scale of its first run is; the next one follows after {@code stride}
     * @param xScales where the scales of the activations begin, 16 rows together
     * @param first the first of the runs
     * @param to the result
     */
    static void scale(float[] floats, int sums, int scale, int stride, MemorySegment x, long xScales, int shift, int first,
            int runs, int to) {
        FloatVector total = FloatVector.fromArray(Lanes.F, floats, to);
        for (int i = 0; i < runs; i++) {
            FloatVector scales = FloatVector.fromMemorySegment(Lanes.F, x, xScales + 4L * COUNT * (first + i >> shift), LITTLE_ENDIAN);
            total = FloatVector.fromArray(Lanes.F, floats, sums + i * TILE * Lanes.L).fma(scales.mul(floats[scale + i * stride]),
                    total);
        }
        total.intoArray(floats, to);
    }

    /**
     * As {@link #scale}, with minima.
     *
     * @param xSums where the sums of the first run of activations begin, 16 rows together
     */
    static void scaleWithMinima(float[] floats, int sums, int scale, int minimum, int stride, MemorySegment x, long xScales,
            long xSums, int shift, int first, int runs, int to) {
        FloatVector total = FloatVector.fromArray(Lanes.F, floats, to);
        for (int i = 0; i < runs; i++) {
            FloatVector scales = FloatVector.fromMemorySegment(Lanes.F, x, xScales + 4L * COUNT * (first + i >> shift), LITTLE_ENDIAN);
            total = FloatVector.fromArray(Lanes.F, floats, sums + i * TILE * Lanes.L).fma(scales.mul(floats[scale + i * stride]),
                    total);
            total = FloatVector.fromMemorySegment(Lanes.F, x, xSums + 4L * COUNT * i, LITTLE_ENDIAN)
                    .fma(scales.mul(floats[minimum + i * stride]), total);
        }
        total.intoArray(floats, to);
    }
}
