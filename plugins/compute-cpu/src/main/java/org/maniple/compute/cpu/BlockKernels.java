package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * What {@link BlockProduct} does with vectors. Codes are multiplied as floats: their products and the sums of a block stay below 2^24, so that
 * they are exact in whatever order they are formed.
 *
 * <p>For what methods with vectors look like, see {@link WeightRows}.
 */
final class BlockKernels {

    private static final int BLOCK = BlockUnpacker.ACTIVATIONS;
    private static final int COUNT = Lanes.COUNT;
    private static final int TILE = ManyRows.TILE;
    /** As many bytes as lanes, or twice as many, since there are no vectors of 32 bits. */
    private static final VectorSpecies<Byte> B = ByteVector.SPECIES_512.withShape(VectorShape.forBitSize(Math.max(64,
            Lanes.BITS / 4)));
    private static final int STEP = B.length();

    /** Vectors of shorts, of at most 256 bits since a byte of 16 is then one load, and what has as many bits or lanes. */
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_512
            .withShape(VectorShape.forBitSize(Math.min(256, Lanes.BITS)));
    private static final int WIDTH = SHORTS.length();
    private static final VectorSpecies<Byte> NARROW = ByteVector.SPECIES_512.withShape(VectorShape.forBitSize(8 * WIDTH));
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_512.withShape(SHORTS.vectorShape());
    /** Floats of such a vector. */
    static final int VECTOR = WIDTH / 2;
    /** Lanes whose number has a bit. */
    private static final VectorMask<Float> HAS_4 = VectorMask.fromLong(FLOATS, 0xf0);
    private static final VectorMask<Float> HAS_2 = VectorMask.fromLong(FLOATS, 0xcc);
    private static final VectorMask<Float> HAS_1 = VectorMask.fromLong(FLOATS, 0xaa);
    /** Swaps lanes whose numbers differ in that bit. */
    private static final VectorShuffle<Float> BY_4 = VectorShuffle.fromOp(FLOATS, i -> (i ^ 4) % VECTOR);
    private static final VectorShuffle<Float> BY_2 = VectorShuffle.fromOp(FLOATS, i -> i ^ 2);
    private static final VectorShuffle<Float> BY_1 = VectorShuffle.fromOp(FLOATS, i -> i ^ 1);

    private BlockKernels() {}

    /**
     * Products of codes, for each 32 of a row a vector of {@link #VECTOR} floats of which only the sum counts. Two products
     * fit in a short.
     *
     * @param w codes
     * @param x codes as shorts
     * @param runs how many
     * @param out receives the vectors
     */
    static void products(MemorySegment w, long at, MemorySegment x, long xAt, int runs, float[] out, int to) {
        for (int i = 0; i < runs; i++) {
            long from = at + 32L * i;
            long x0 = xAt + 2L * BLOCK * i;
            ShortVector products = ((ShortVector) ByteVector.fromMemorySegment(NARROW, w, from, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.B2S, SHORTS, 0))
                    .mul(ShortVector.fromMemorySegment(SHORTS, x, x0, LITTLE_ENDIAN));
            products = ((ShortVector) ByteVector.fromMemorySegment(NARROW, w, from + WIDTH, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.B2S, SHORTS, 0))
                    .mul(ShortVector.fromMemorySegment(SHORTS, x, x0 + 2L * WIDTH, LITTLE_ENDIAN)).add(products);
            IntVector pairs = products.reinterpretAsInts();
            ((FloatVector) pairs.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)
                    .add(pairs.lanewise(VectorOperators.ASHR, 16)).convert(VectorOperators.I2F, 0))
                    .intoArray(out, to + i * VECTOR);
            if (WIDTH < BLOCK / 2) {
                products = ((ShortVector) ByteVector.fromMemorySegment(NARROW, w, from + 2L * WIDTH, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.B2S, SHORTS, 0))
                        .mul(ShortVector.fromMemorySegment(SHORTS, x, x0 + 4L * WIDTH, LITTLE_ENDIAN));
                products = ((ShortVector) ByteVector.fromMemorySegment(NARROW, w, from + 3L * WIDTH, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.B2S, SHORTS, 0))
                        .mul(ShortVector.fromMemorySegment(SHORTS, x, x0 + 6L * WIDTH, LITTLE_ENDIAN)).add(products);
                pairs = products.reinterpretAsInts();
                FloatVector.fromArray(FLOATS, out, to + i * VECTOR)
                        .add(pairs.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)
                                .add(pairs.lanewise(VectorOperators.ASHR, 16)).convert(VectorOperators.I2F, 0))
                        .intoArray(out, to + i * VECTOR);
            }
        }
    }

    /** As {@link #products}, with blocks of Q8_0. */
    static void eightBits(MemorySegment w, long at, MemorySegment x, long xAt, int runs, float[] out, int to) {
        for (int i = 0; i < runs; i++) {
            long from = at + 34L * i;
            long x0 = xAt + 2L * BLOCK * i;
            ShortVector products = ((ShortVector) ByteVector.fromMemorySegment(NARROW, w, from, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.B2S, SHORTS, 0))
                    .mul(ShortVector.fromMemorySegment(SHORTS, x, x0, LITTLE_ENDIAN));
            products = ((ShortVector) ByteVector.fromMemorySegment(NARROW, w, from + WIDTH, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.B2S, SHORTS, 0))
                    .mul(ShortVector.fromMemorySegment(SHORTS, x, x0 + 2L * WIDTH, LITTLE_ENDIAN)).add(products);
            IntVector pairs = products.reinterpretAsInts();
            ((FloatVector) pairs.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)
                    .add(pairs.lanewise(VectorOperators.ASHR, 16)).convert(VectorOperators.I2F, 0))
                    .intoArray(out, to + i * VECTOR);
            if (WIDTH < BLOCK / 2) {
                products = ((ShortVector) ByteVector.fromMemorySegment(NARROW, w, from + 2L * WIDTH, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.B2S, SHORTS, 0))
                        .mul(ShortVector.fromMemorySegment(SHORTS, x, x0 + 4L * WIDTH, LITTLE_ENDIAN));
                products = ((ShortVector) ByteVector.fromMemorySegment(NARROW, w, from + 3L * WIDTH, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.B2S, SHORTS, 0))
                        .mul(ShortVector.fromMemorySegment(SHORTS, x, x0 + 6L * WIDTH, LITTLE_ENDIAN)).add(products);
                pairs = products.reinterpretAsInts();
                FloatVector.fromArray(FLOATS, out, to + i * VECTOR)
                        .add(pairs.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)
                                .add(pairs.lanewise(VectorOperators.ASHR, 16)).convert(VectorOperators.I2F, 0))
                        .intoArray(out, to + i * VECTOR);
            }
        }
    }

    /** As {@link #products}, for each 16 of a row. */
    static void halfProducts(MemorySegment w, long at, MemorySegment x, long xAt, int runs, float[] out, int to) {
        for (int i = 0; i < runs; i++) {
            long from = at + 16L * i;
            long x0 = xAt + (long) BLOCK * i;
            ShortVector products = ((ShortVector) ByteVector.fromMemorySegment(NARROW, w, from, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.B2S, SHORTS, 0))
                    .mul(ShortVector.fromMemorySegment(SHORTS, x, x0, LITTLE_ENDIAN));
            if (WIDTH < BLOCK / 2) {
                products = ((ShortVector) ByteVector.fromMemorySegment(NARROW, w, from + WIDTH, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.B2S, SHORTS, 0))
                        .mul(ShortVector.fromMemorySegment(SHORTS, x, x0 + 2L * WIDTH, LITTLE_ENDIAN)).add(products);
            }
            IntVector pairs = products.reinterpretAsInts();
            ((FloatVector) pairs.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)
                    .add(pairs.lanewise(VectorOperators.ASHR, 16)).convert(VectorOperators.I2F, 0))
                    .intoArray(out, to + i * VECTOR);
        }
    }

    /**
     * As {@link #products}, with blocks of 16 bytes: the lower four bits of each are an element of the first half.
     *
     * @param stride bytes from a block to the next
     */
    static void fourBits(MemorySegment w, long at, int stride, MemorySegment x, long xAt, int runs, float[] out, int to) {
        for (int i = 0; i < runs; i++) {
            long from = at + (long) stride * i;
            long x0 = xAt + 2L * BLOCK * i;
            ShortVector codes = (ShortVector) ByteVector.fromMemorySegment(NARROW, w, from, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0);
            ShortVector products = codes.and((short) 15).mul(ShortVector.fromMemorySegment(SHORTS, x, x0, LITTLE_ENDIAN));
            products = codes.lanewise(VectorOperators.LSHR, 4)
                    .mul(ShortVector.fromMemorySegment(SHORTS, x, x0 + BLOCK, LITTLE_ENDIAN)).add(products);
            if (WIDTH < BLOCK / 2) {
                codes = (ShortVector) ByteVector.fromMemorySegment(NARROW, w, from + WIDTH, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0);
                products = codes.and((short) 15)
                        .mul(ShortVector.fromMemorySegment(SHORTS, x, x0 + 2L * WIDTH, LITTLE_ENDIAN)).add(products);
                products = codes.lanewise(VectorOperators.LSHR, 4)
                        .mul(ShortVector.fromMemorySegment(SHORTS, x, x0 + BLOCK + 2L * WIDTH, LITTLE_ENDIAN)).add(products);
            }
            IntVector pairs = products.reinterpretAsInts();
            ((FloatVector) pairs.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)
                    .add(pairs.lanewise(VectorOperators.ASHR, 16)).convert(VectorOperators.I2F, 0))
                    .intoArray(out, to + i * VECTOR);
        }
    }

    /** Takes from sums of runs what codes had too much. */
    static void offset(float[] sums, int at, int runs, int offset, MemorySegment x, long xSums) {
        for (int i = 0; i < runs; i++) {
            float less = offset * x.get(JAVA_FLOAT_UNALIGNED, xSums + 4L * i);
            for (int part = 0; part < COUNT; part += Lanes.L) {
                FloatVector.fromArray(Lanes.F, sums, at + COUNT * i + part).sub(less).intoArray(sums, at + COUNT * i + part);
            }
        }
    }

    /**
     * Sums the lanes of vectors, so that lanes become rows of weights.
     *
     * @param floats the vectors of 16 rows
     * @param stride floats from a row to the next; the vectors of a row follow each other
     * @param runs vectors of a row
     * @param to receives 16 sums for each of them
     * @param between room for four vectors
     */
    static void fold(float[] floats, int at, int stride, int runs, int to, int between) {
        for (int i = 0; i < runs; i++) {
            for (int part = 0; part < COUNT; part += VECTOR) {
                int first = at + i * VECTOR + part * stride;
                if (VECTOR == 8) {
                    foldTwo(floats, first, stride, between);
                    foldLast(floats, between, VECTOR, to + COUNT * i + part);
                } else {
                    foldLast(floats, first, stride, to + COUNT * i + part);
                }
            }
        }
    }

    /** Eight vectors become four. */
    private static void foldTwo(float[] v, int at, int stride, int to) {
        for (int i = 0; i < 4; i++) {
            FloatVector a = FloatVector.fromArray(FLOATS, v, at + i * stride);
            FloatVector b = FloatVector.fromArray(FLOATS, v, at + (i + 4) * stride);
            a.blend(b, HAS_4).add(b.blend(a, HAS_4).rearrange(BY_4)).intoArray(v, to + i * VECTOR);
        }
    }

    /** Four vectors become one. */
    private static void foldLast(float[] v, int at, int stride, int to) {
        FloatVector a = FloatVector.fromArray(FLOATS, v, at);
        FloatVector b = FloatVector.fromArray(FLOATS, v, at + 2 * stride);
        FloatVector c = a.blend(b, HAS_2).add(b.blend(a, HAS_2).rearrange(BY_2));
        a = FloatVector.fromArray(FLOATS, v, at + stride);
        b = FloatVector.fromArray(FLOATS, v, at + 3 * stride);
        a = a.blend(b, HAS_2).add(b.blend(a, HAS_2).rearrange(BY_2));
        c.blend(a, HAS_1).add(a.blend(c, HAS_1).rearrange(BY_1)).intoArray(v, to);
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

    /**
     * The elements of runs, each of which is a code times its scale.
     *
     * @param scales of the runs
     * @param length of a run
     */
    static void decode(MemorySegment codes, long at, float[] scales, int runs, int length, MemorySegment out, long to) {
        for (int i = 0; i < runs; i++) {
            for (int j = 0; j < length; j += STEP) {
                ByteVector bytes = ByteVector.fromMemorySegment(B, codes, at + (long) length * i + j, LITTLE_ENDIAN);
                long first = to + 4L * (length * i + j);
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, Lanes.F, 0)).mul(scales[i])
                        .intoMemorySegment(out, first, LITTLE_ENDIAN);
                if (STEP > Lanes.L) {
                    ((FloatVector) bytes.convertShape(VectorOperators.B2F, Lanes.F, 1)).mul(scales[i])
                            .intoMemorySegment(out, first + 4L * Lanes.L, LITTLE_ENDIAN);
                }
            }
        }
    }

    /** As {@link #decode}, and then plus the minimum of the run, which follow after all scales. */
    static void decodeWithMinima(MemorySegment codes, long at, float[] scales, int runs, int length, MemorySegment out, long to) {
        for (int i = 0; i < runs; i++) {
            for (int j = 0; j < length; j += STEP) {
                ByteVector bytes = ByteVector.fromMemorySegment(B, codes, at + (long) length * i + j, LITTLE_ENDIAN);
                long first = to + 4L * (length * i + j);
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, Lanes.F, 0)).mul(scales[i]).add(scales[runs + i])
                        .intoMemorySegment(out, first, LITTLE_ENDIAN);
                if (STEP > Lanes.L) {
                    ((FloatVector) bytes.convertShape(VectorOperators.B2F, Lanes.F, 1)).mul(scales[i]).add(scales[runs + i])
                            .intoMemorySegment(out, first + 4L * Lanes.L, LITTLE_ENDIAN);
                }
            }
        }
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
     * Sums of products of codes of {@value #TILE} rows of weights with two vectors of rows of activations.
     *
     * @param w codes of a row of weights as floats
     * @param stride floats from a row of weights to the next
     * @param x codes of activations, 16 rows together
     * @param next bytes to those of the second vector
     * @param length of a run
     * @param runs how many
     * @param sums receives for each run a vector for each row of weights, and then others for the second vector of activations
     */
    static void tile(float[] w, int at, int stride, MemorySegment x, long xAt, long next, int length, int runs, float[] sums,
            int to) {
        for (int i = 0; i < runs; i++) {
            FloatVector a0 = FloatVector.zero(Lanes.F);
            FloatVector a1 = a0;
            FloatVector b0 = a0;
            FloatVector b1 = a0;
            FloatVector c0 = a0;
            FloatVector c1 = a0;
            FloatVector d0 = a0;
            FloatVector d1 = a0;
            FloatVector e0 = a0;
            FloatVector e1 = a0;
            FloatVector f0 = a0;
            FloatVector f1 = a0;
            FloatVector g0 = a0;
            FloatVector g1 = a0;
            FloatVector h0 = a0;
            FloatVector h1 = a0;
            for (int k = i * length; k < (i + 1) * length; k++) {
                FloatVector v = FloatVector.fromMemorySegment(Lanes.F, x, xAt + 4L * COUNT * k, LITTLE_ENDIAN);
                FloatVector u = FloatVector.fromMemorySegment(Lanes.F, x, xAt + next + 4L * COUNT * k, LITTLE_ENDIAN);
                int from = at + k;
                FloatVector code = FloatVector.broadcast(Lanes.F, w[from]);
                a0 = v.fma(code, a0);
                a1 = u.fma(code, a1);
                code = FloatVector.broadcast(Lanes.F, w[from + stride]);
                b0 = v.fma(code, b0);
                b1 = u.fma(code, b1);
                code = FloatVector.broadcast(Lanes.F, w[from + 2 * stride]);
                c0 = v.fma(code, c0);
                c1 = u.fma(code, c1);
                code = FloatVector.broadcast(Lanes.F, w[from + 3 * stride]);
                d0 = v.fma(code, d0);
                d1 = u.fma(code, d1);
                code = FloatVector.broadcast(Lanes.F, w[from + 4 * stride]);
                e0 = v.fma(code, e0);
                e1 = u.fma(code, e1);
                code = FloatVector.broadcast(Lanes.F, w[from + 5 * stride]);
                f0 = v.fma(code, f0);
                f1 = u.fma(code, f1);
                code = FloatVector.broadcast(Lanes.F, w[from + 6 * stride]);
                g0 = v.fma(code, g0);
                g1 = u.fma(code, g1);
                code = FloatVector.broadcast(Lanes.F, w[from + 7 * stride]);
                h0 = v.fma(code, h0);
                h1 = u.fma(code, h1);
            }
            int first = to + i * 2 * TILE * Lanes.L;
            a0.intoArray(sums, first);
            b0.intoArray(sums, first + Lanes.L);
            c0.intoArray(sums, first + 2 * Lanes.L);
            d0.intoArray(sums, first + 3 * Lanes.L);
            e0.intoArray(sums, first + 4 * Lanes.L);
            f0.intoArray(sums, first + 5 * Lanes.L);
            g0.intoArray(sums, first + 6 * Lanes.L);
            h0.intoArray(sums, first + 7 * Lanes.L);
            a1.intoArray(sums, first + 8 * Lanes.L);
            b1.intoArray(sums, first + 9 * Lanes.L);
            c1.intoArray(sums, first + 10 * Lanes.L);
            d1.intoArray(sums, first + 11 * Lanes.L);
            e1.intoArray(sums, first + 12 * Lanes.L);
            f1.intoArray(sums, first + 13 * Lanes.L);
            g1.intoArray(sums, first + 14 * Lanes.L);
            h1.intoArray(sums, first + 15 * Lanes.L);
        }
    }

    /**
     * Adds runs to the results of {@value #TILE} rows of weights, each times its scales: lanes are rows of activations.
     *
     * @param sums where the sums begin, as {@link #tile} writes them
     * @param scale where the scales of the first run begin; those of the next follow after {@link ManyRows#ROWS}
     * @param xScales where the scales of the activations begin, 16 rows together
     * @param first the first of the runs
     * @param to the results, 16 floats for each row of weights
     */
    static void scale(float[] floats, int sums, int scale, MemorySegment x, long xScales, int shift, int first, int runs,
            int to) {
        for (int r = 0; r < TILE; r++) {
            FloatVector total = FloatVector.fromArray(Lanes.F, floats, to + COUNT * r);
            for (int i = 0; i < runs; i++) {
                FloatVector scales = FloatVector.fromMemorySegment(Lanes.F, x, xScales + 4L * COUNT * (first + i >> shift),
                        LITTLE_ENDIAN);
                total = FloatVector.fromArray(Lanes.F, floats, sums + (2 * TILE * i + r) * Lanes.L)
                        .fma(scales.mul(floats[scale + ManyRows.ROWS * i + r]), total);
            }
            total.intoArray(floats, to + COUNT * r);
        }
    }

    /**
     * As {@link #scale}, with minima.
     *
     * @param xSums where the sums of the first run of activations begin, 16 rows together
     */
    static void scaleWithMinima(float[] floats, int sums, int scale, int minimum, MemorySegment x, long xScales, long xSums,
            int shift, int first, int runs, int to) {
        for (int r = 0; r < TILE; r++) {
            FloatVector total = FloatVector.fromArray(Lanes.F, floats, to + COUNT * r);
            for (int i = 0; i < runs; i++) {
                FloatVector scales = FloatVector.fromMemorySegment(Lanes.F, x, xScales + 4L * COUNT * (first + i >> shift),
                        LITTLE_ENDIAN);
                total = FloatVector.fromArray(Lanes.F, floats, sums + (2 * TILE * i + r) * Lanes.L)
                        .fma(scales.mul(floats[scale + ManyRows.ROWS * i + r]), total);
                total = FloatVector.fromMemorySegment(Lanes.F, x, xSums + 4L * COUNT * i, LITTLE_ENDIAN)
                        .fma(scales.mul(floats[minimum + ManyRows.ROWS * i + r]), total);
            }
            total.intoArray(floats, to + COUNT * r);
        }
    }
}
