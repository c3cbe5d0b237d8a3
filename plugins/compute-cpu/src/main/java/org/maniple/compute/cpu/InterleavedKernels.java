package org.maniple.compute.cpu;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * What {@link InterleavedProduct} does with vectors: four bytes of codes of as many rows as a vector has lanes. Codes are multiplied where they
 * are in the bytes, see {@link PairFactors}.
 *
 * <p>For what methods with vectors look like, see {@link WeightRows}.
 */
final class InterleavedKernels {

    private static final int BLOCK = BlockUnpacker.ACTIVATIONS;
    private static final int HALF = BLOCK / 2;
    private static final int GROUP = InterleavedRows.GROUP;
    /** What makes every short positive. */
    static final int BIAS = 1 << 15;

    private static final int TILE = ManyRows.TILE;

    private InterleavedKernels() {}

    /**
     * Adds products with blocks of codes of one byte to two vectors of results: lanes are rows of weights. Two vectors share the factors, and
     * are two streams to the memory.
     *
     * @param codes where those of the first block begin, of the rows from which lanes begin
     * @param scales where its scales begin, likewise
     * @param next bytes to those of the rows of the second vector
     * @param x factors, see {@link PairFactors}
     * @param at where those of the first block begin
     * @param runs blocks
     * @param to the results of the first vector
     * @param toNext and of the second one
     */
    static void eightBits(MemorySegment w, long codes, long scales, long next, float[] x, int at, int runs, float[] results,
            int to, int toNext) {
        FloatVector total = FloatVector.fromArray(Lanes.F, results, to);
        FloatVector totalOfNext = FloatVector.fromArray(Lanes.F, results, toNext);
        for (int i = 0; i < runs; i++) {
            long from = codes + (long) GROUP * BLOCK * i;
            int k = at + PairFactors.EIGHT_BITS * i;
            IntVector both = IntVector.broadcast(Lanes.I, -BIAS * BLOCK / 4);
            IntVector upper = IntVector.zero(Lanes.I);
            IntVector bothOfNext = both;
            IntVector upperOfNext = upper;
            for (int j = 0; j < BLOCK / 4; j++) {
                ShortVector v = IntVector.fromMemorySegment(Lanes.I, w, from + 4L * GROUP * j, LITTLE_ENDIAN)
                        .reinterpretAsShorts();
                ShortVector u = IntVector.fromMemorySegment(Lanes.I, w, from + next + 4L * GROUP * j, LITTLE_ENDIAN)
                        .reinterpretAsShorts();
                ShortVector a = FloatVector.broadcast(Lanes.F, x[k + 3 * j]).reinterpretAsShorts();
                ShortVector b = FloatVector.broadcast(Lanes.F, x[k + 3 * j + 1]).reinterpretAsShorts();
                ShortVector c = FloatVector.broadcast(Lanes.F, x[k + 3 * j + 2]).reinterpretAsShorts();
                IntVector pairs = v.mul(a).add(v.lanewise(VectorOperators.LSHR, 8).mul(b)).add(c).reinterpretAsInts();
                both = both.add(pairs);
                upper = upper.add(pairs.lanewise(VectorOperators.ASHR, 16));
                pairs = u.mul(a).add(u.lanewise(VectorOperators.LSHR, 8).mul(b)).add(c).reinterpretAsInts();
                bothOfNext = bothOfNext.add(pairs);
                upperOfNext = upperOfNext.add(pairs.lanewise(VectorOperators.ASHR, 16));
            }
            FloatVector scale = FloatVector.broadcast(Lanes.F, x[k + PairFactors.SCALE_OF_EIGHT_BITS]);
            FloatVector sum = (FloatVector) both.sub(upper.lanewise(VectorOperators.LSHL, 16)).add(upper)
                    .convert(VectorOperators.I2F, 0);
            total = sum.fma(FloatVector.fromMemorySegment(Lanes.F, w, scales + InterleavedRows.SCALES * i, LITTLE_ENDIAN)
                    .mul(scale), total);
            sum = (FloatVector) bothOfNext.sub(upperOfNext.lanewise(VectorOperators.LSHL, 16)).add(upperOfNext)
                    .convert(VectorOperators.I2F, 0);
            totalOfNext = sum
                    .fma(FloatVector.fromMemorySegment(Lanes.F, w, scales + next + InterleavedRows.SCALES * i, LITTLE_ENDIAN)
                            .mul(scale), totalOfNext);
        }
        total.intoArray(results, to);
        totalOfNext.intoArray(results, toNext);
    }

    /** As above with codes of four bits that are eight more than they are; the lower bits of a byte are an element of the first half of a block. */
    static void fourBits(MemorySegment w, long codes, long scales, long next, float[] x, int at, int runs,
            float[] results, int to, int toNext) {
        FloatVector total = FloatVector.fromArray(Lanes.F, results, to);
        FloatVector totalOfNext = FloatVector.fromArray(Lanes.F, results, toNext);
        for (int i = 0; i < runs; i++) {
            long from = codes + (long) GROUP * HALF * i;
            int k = at + PairFactors.FOUR_BITS * i;
            ShortVector a = FloatVector.broadcast(Lanes.F, x[k + PairFactors.OFFSET]).reinterpretAsShorts();
            ShortVector b = a;
            for (int j = 0; j < HALF / 4; j++) {
                ShortVector v = IntVector.fromMemorySegment(Lanes.I, w, from + 4L * GROUP * j, LITTLE_ENDIAN)
                        .reinterpretAsShorts();
                ShortVector u = IntVector.fromMemorySegment(Lanes.I, w, from + next + 4L * GROUP * j, LITTLE_ENDIAN)
                        .reinterpretAsShorts();
                ShortVector factor = FloatVector.broadcast(Lanes.F, x[k + 4 * j]).reinterpretAsShorts();
                a = v.mul(factor).add(a);
                b = u.mul(factor).add(b);
                factor = FloatVector.broadcast(Lanes.F, x[k + 4 * j + 1]).reinterpretAsShorts();
                a = v.lanewise(VectorOperators.LSHR, 4).mul(factor).add(a);
                b = u.lanewise(VectorOperators.LSHR, 4).mul(factor).add(b);
                factor = FloatVector.broadcast(Lanes.F, x[k + 4 * j + 2]).reinterpretAsShorts();
                a = v.lanewise(VectorOperators.LSHR, 8).mul(factor).add(a);
                b = u.lanewise(VectorOperators.LSHR, 8).mul(factor).add(b);
                factor = FloatVector.broadcast(Lanes.F, x[k + 4 * j + 3]).reinterpretAsShorts();
                a = v.lanewise(VectorOperators.LSHR, 12).mul(factor).add(a);
                b = u.lanewise(VectorOperators.LSHR, 12).mul(factor).add(b);
            }
            FloatVector scale = FloatVector.broadcast(Lanes.F, x[k + PairFactors.SCALE]);
            IntVector sums = a.reinterpretAsInts();
            FloatVector sum = (FloatVector) sums.lanewise(VectorOperators.LSHL, 16).add(sums).lanewise(VectorOperators.ASHR, 16)
                    .convert(VectorOperators.I2F, 0);
            total = sum.fma(FloatVector.fromMemorySegment(Lanes.F, w, scales + InterleavedRows.SCALES * i, LITTLE_ENDIAN)
                    .mul(scale), total);
            sums = b.reinterpretAsInts();
            sum = (FloatVector) sums.lanewise(VectorOperators.LSHL, 16).add(sums).lanewise(VectorOperators.ASHR, 16)
                    .convert(VectorOperators.I2F, 0);
            totalOfNext = sum
                    .fma(FloatVector.fromMemorySegment(Lanes.F, w, scales + next + InterleavedRows.SCALES * i, LITTLE_ENDIAN)
                            .mul(scale), totalOfNext);
        }
        total.intoArray(results, to);
        totalOfNext.intoArray(results, toNext);
    }

    /** As above with minima, where codes are what they are. */
    static void fourBitsWithMinima(MemorySegment w, long codes, long scales, long minima, long next, float[] x, int at, int runs,
            float[] results, int to, int toNext) {
        FloatVector total = FloatVector.fromArray(Lanes.F, results, to);
        FloatVector totalOfNext = FloatVector.fromArray(Lanes.F, results, toNext);
        for (int i = 0; i < runs; i++) {
            long from = codes + (long) GROUP * HALF * i;
            int k = at + PairFactors.FOUR_BITS * i;
            ShortVector a = FloatVector.broadcast(Lanes.F, x[k + PairFactors.OFFSET]).reinterpretAsShorts();
            ShortVector b = a;
            for (int j = 0; j < HALF / 4; j++) {
                ShortVector v = IntVector.fromMemorySegment(Lanes.I, w, from + 4L * GROUP * j, LITTLE_ENDIAN)
                        .reinterpretAsShorts();
                ShortVector u = IntVector.fromMemorySegment(Lanes.I, w, from + next + 4L * GROUP * j, LITTLE_ENDIAN)
                        .reinterpretAsShorts();
                ShortVector factor = FloatVector.broadcast(Lanes.F, x[k + 4 * j]).reinterpretAsShorts();
                a = v.mul(factor).add(a);
                b = u.mul(factor).add(b);
                factor = FloatVector.broadcast(Lanes.F, x[k + 4 * j + 1]).reinterpretAsShorts();
                a = v.lanewise(VectorOperators.LSHR, 4).mul(factor).add(a);
                b = u.lanewise(VectorOperators.LSHR, 4).mul(factor).add(b);
                factor = FloatVector.broadcast(Lanes.F, x[k + 4 * j + 2]).reinterpretAsShorts();
                a = v.lanewise(VectorOperators.LSHR, 8).mul(factor).add(a);
                b = u.lanewise(VectorOperators.LSHR, 8).mul(factor).add(b);
                factor = FloatVector.broadcast(Lanes.F, x[k + 4 * j + 3]).reinterpretAsShorts();
                a = v.lanewise(VectorOperators.LSHR, 12).mul(factor).add(a);
                b = u.lanewise(VectorOperators.LSHR, 12).mul(factor).add(b);
            }
            FloatVector scale = FloatVector.broadcast(Lanes.F, x[k + PairFactors.SCALE]);
            IntVector sums = a.reinterpretAsInts();
            FloatVector sum = ((FloatVector) sums.lanewise(VectorOperators.LSHL, 16).add(sums).lanewise(VectorOperators.ASHR, 16)
                    .convert(VectorOperators.I2F, 0)).add(x[k + PairFactors.LACK]);
            total = sum.fma(FloatVector.fromMemorySegment(Lanes.F, w, scales + InterleavedRows.SCALES * i, LITTLE_ENDIAN)
                    .mul(scale), total);
            total = FloatVector.fromMemorySegment(Lanes.F, w, minima + InterleavedRows.SCALES * i, LITTLE_ENDIAN).mul(scale)
                    .fma(FloatVector.broadcast(Lanes.F, x[k + PairFactors.SUM]), total);
            sums = b.reinterpretAsInts();
            sum = ((FloatVector) sums.lanewise(VectorOperators.LSHL, 16).add(sums).lanewise(VectorOperators.ASHR, 16)
                    .convert(VectorOperators.I2F, 0)).add(x[k + PairFactors.LACK]);
            totalOfNext = sum
                    .fma(FloatVector.fromMemorySegment(Lanes.F, w, scales + next + InterleavedRows.SCALES * i, LITTLE_ENDIAN)
                            .mul(scale), totalOfNext);
            totalOfNext = FloatVector.fromMemorySegment(Lanes.F, w, minima + next + InterleavedRows.SCALES * i, LITTLE_ENDIAN)
                    .mul(scale)
                    .fma(FloatVector.broadcast(Lanes.F, x[k + PairFactors.SUM]), totalOfNext);
        }
        total.intoArray(results, to);
        totalOfNext.intoArray(results, toNext);
    }

    /**
     * Codes of one byte as floats: of each element those of {@value #GROUP} rows.
     *
     * @param at where those of the first block begin, of the rows from which lanes begin
     */
    static void eightBitsAsFloats(MemorySegment w, long at, int runs, float[] floats, int to) {
        for (int j = 0; j < BLOCK / 4 * runs; j++) {
            IntVector four = IntVector.fromMemorySegment(Lanes.I, w, at + 4L * GROUP * j, LITTLE_ENDIAN);
            int first = to + 4 * GROUP * j;
            ((FloatVector) four.and(0xff).sub(128).convert(VectorOperators.I2F, 0)).intoArray(floats, first);
            ((FloatVector) four.lanewise(VectorOperators.LSHR, 8).and(0xff).sub(128).convert(VectorOperators.I2F, 0))
                    .intoArray(floats, first + GROUP);
            ((FloatVector) four.lanewise(VectorOperators.LSHR, 16).and(0xff).sub(128).convert(VectorOperators.I2F, 0))
                    .intoArray(floats, first + 2 * GROUP);
            ((FloatVector) four.lanewise(VectorOperators.LSHR, 24).sub(128).convert(VectorOperators.I2F, 0))
                    .intoArray(floats, first + 3 * GROUP);
        }
    }

    /**
     * As above with codes of four bits.
     *
     * @param offset how much more they are than they stand for
     */
    static void fourBitsAsFloats(MemorySegment w, long at, int offset, int runs, float[] floats, int to) {
        for (int i = 0; i < runs; i++) {
            for (int j = 0; j < HALF; j++) {
                IntVector codes = IntVector
                        .fromMemorySegment(Lanes.I, w, at + (long) GROUP * HALF * i + 4L * GROUP * (j >> 2), LITTLE_ENDIAN)
                        .lanewise(VectorOperators.LSHR, 8 * (j & 3));
                int first = to + GROUP * (BLOCK * i + j);
                ((FloatVector) codes.and(15).sub(offset).convert(VectorOperators.I2F, 0)).intoArray(floats, first);
                ((FloatVector) codes.lanewise(VectorOperators.LSHR, 4).and(15).sub(offset).convert(VectorOperators.I2F, 0))
                        .intoArray(floats, first + GROUP * HALF);
            }
        }
    }

    /** As {@link BlockKernels#tile} with codes of {@value #GROUP} rows of weights together, in runs of {@value #BLOCK}. */
    static void tile(float[] w, int at, MemorySegment x, long xAt, long next, int runs, float[] sums, int to) {
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
            for (int k = i * BLOCK; k < (i + 1) * BLOCK; k++) {
                FloatVector v = FloatVector.fromMemorySegment(Lanes.F, x, xAt + 4L * GROUP * k, LITTLE_ENDIAN);
                FloatVector u = FloatVector.fromMemorySegment(Lanes.F, x, xAt + next + 4L * GROUP * k, LITTLE_ENDIAN);
                int from = at + GROUP * k;
                FloatVector code = FloatVector.broadcast(Lanes.F, w[from]);
                a0 = v.fma(code, a0);
                a1 = u.fma(code, a1);
                code = FloatVector.broadcast(Lanes.F, w[from + 1]);
                b0 = v.fma(code, b0);
                b1 = u.fma(code, b1);
                code = FloatVector.broadcast(Lanes.F, w[from + 2]);
                c0 = v.fma(code, c0);
                c1 = u.fma(code, c1);
                code = FloatVector.broadcast(Lanes.F, w[from + 3]);
                d0 = v.fma(code, d0);
                d1 = u.fma(code, d1);
                code = FloatVector.broadcast(Lanes.F, w[from + 4]);
                e0 = v.fma(code, e0);
                e1 = u.fma(code, e1);
                code = FloatVector.broadcast(Lanes.F, w[from + 5]);
                f0 = v.fma(code, f0);
                f1 = u.fma(code, f1);
                code = FloatVector.broadcast(Lanes.F, w[from + 6]);
                g0 = v.fma(code, g0);
                g1 = u.fma(code, g1);
                code = FloatVector.broadcast(Lanes.F, w[from + 7]);
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
}
