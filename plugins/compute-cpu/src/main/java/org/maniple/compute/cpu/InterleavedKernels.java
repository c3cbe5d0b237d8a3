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
                ShortVector v = IntVector.fromMemorySegment(Lanes.I, w, from + 4L * GROUP * j, LITTLE_ENDIAN).reinterpretAsShorts();
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
            totalOfNext = sum.fma(FloatVector.fromMemorySegment(Lanes.F, w, scales + next + InterleavedRows.SCALES * i, LITTLE_ENDIAN)
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
                ShortVector v = IntVector.fromMemorySegment(Lanes.I, w, from + 4L * GROUP * j, LITTLE_ENDIAN).reinterpretAsShorts();
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
            totalOfNext = sum.fma(FloatVector.fromMemorySegment(Lanes.F, w, scales + next + InterleavedRows.SCALES * i, LITTLE_ENDIAN)
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
                ShortVector v = IntVector.fromMemorySegment(Lanes.I, w, from + 4L * GROUP * j, LITTLE_ENDIAN).reinterpretAsShorts();
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
            totalOfNext = sum.fma(FloatVector.fromMemorySegment(Lanes.F, w, scales + next + InterleavedRows.SCALES * i, LITTLE_ENDIAN)
                    .mul(scale), totalOfNext);
            totalOfNext = FloatVector.fromMemorySegment(Lanes.F, w, minima + next + InterleavedRows.SCALES * i, LITTLE_ENDIAN).mul(scale)
                    .fma(FloatVector.broadcast(Lanes.F, x[k + PairFactors.SUM]), totalOfNext);
        }
        total.intoArray(results, to);
        totalOfNext.intoArray(results, toNext);
    }
}
