package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * What {@link InterleavedProduct} does with vectors: four bytes of codes of as many rows as a vector has lanes. Codes are multiplied as floats,
 * which is exact, see {@link BlockKernels}; also where a code is left in its place among the others, and so is a power of two times what it
 * is: the sum is then made as much smaller.
 *
 * <p>For what methods with vectors look like, see {@link WeightRows}.
 */
final class InterleavedKernels {

    private static final int BLOCK = BlockUnpacker.ACTIVATIONS;
    private static final int HALF = BLOCK / 2;
    private static final int GROUP = InterleavedRows.GROUP;
    /** What makes every short positive. */
    static final int BIAS = 1 << 15;
    private static final int BYTE = 0xff;
    private static final int NIBBLE = 15;

    private InterleavedKernels() {}

    /**
     * Adds products with blocks of codes of one byte to results: lanes are rows of weights.
     *
     * @param codes where those of the first block begin, or of the rows from which lanes begin
     * @param scales where its scales begin, likewise
     * @param x factors, see {@link PairFactors}
     * @param at where those of the first block begin
     * @param runs blocks
     * @param to the results
     */
    static void eightBits(MemorySegment w, long codes, long scales, float[] x, int at, int runs, float[] results, int to) {
        FloatVector total = FloatVector.fromArray(Lanes.F, results, to);
        for (int i = 0; i < runs; i++) {
            long from = codes + (long) GROUP * BLOCK * i;
            int k = at + PairFactors.EIGHT_BITS * i;
            IntVector both = IntVector.broadcast(Lanes.I, -BIAS * BLOCK / 4);
            IntVector upper = IntVector.zero(Lanes.I);
            for (int j = 0; j < BLOCK / 4; j++) {
                ShortVector v = IntVector.fromMemorySegment(Lanes.I, w, from + 4L * GROUP * j, LITTLE_ENDIAN).reinterpretAsShorts();
                IntVector pairs = v.mul(FloatVector.broadcast(Lanes.F, x[k + 3 * j]).reinterpretAsShorts())
                        .add(v.lanewise(VectorOperators.LSHR, 8)
                                .mul(FloatVector.broadcast(Lanes.F, x[k + 3 * j + 1]).reinterpretAsShorts()))
                        .add(FloatVector.broadcast(Lanes.F, x[k + 3 * j + 2]).reinterpretAsShorts()).reinterpretAsInts();
                both = both.add(pairs);
                upper = upper.add(pairs.lanewise(VectorOperators.ASHR, 16));
            }
            FloatVector sum = (FloatVector) both.sub(upper.lanewise(VectorOperators.LSHL, 16)).add(upper)
                    .convert(VectorOperators.I2F, 0);
            total = sum.fma(FloatVector.fromMemorySegment(Lanes.F, w, scales + InterleavedRows.SCALES * i, LITTLE_ENDIAN)
                    .mul(x[k + PairFactors.SCALE_OF_EIGHT_BITS]), total);
        }
        total.intoArray(results, to);
    }

    /** As above with codes of four bits that are eight more than they are; the lower bits of a byte are an element of the first half of a block. */
    static void fourBits(MemorySegment w, long codes, long scales, float[] x, int at, int runs, float[] results, int to) {
        FloatVector total = FloatVector.fromArray(Lanes.F, results, to);
        for (int i = 0; i < runs; i++) {
            long from = codes + (long) GROUP * HALF * i;
            int k = at + PairFactors.FOUR_BITS * i;
            ShortVector pairs = FloatVector.broadcast(Lanes.F, x[k + PairFactors.OFFSET]).reinterpretAsShorts();
            for (int j = 0; j < HALF / 4; j++) {
                ShortVector v = IntVector.fromMemorySegment(Lanes.I, w, from + 4L * GROUP * j, LITTLE_ENDIAN).reinterpretAsShorts();
                pairs = v.mul(FloatVector.broadcast(Lanes.F, x[k + 4 * j]).reinterpretAsShorts()).add(pairs);
                pairs = v.lanewise(VectorOperators.LSHR, 4)
                        .mul(FloatVector.broadcast(Lanes.F, x[k + 4 * j + 1]).reinterpretAsShorts()).add(pairs);
                pairs = v.lanewise(VectorOperators.LSHR, 8)
                        .mul(FloatVector.broadcast(Lanes.F, x[k + 4 * j + 2]).reinterpretAsShorts()).add(pairs);
                pairs = v.lanewise(VectorOperators.LSHR, 12)
                        .mul(FloatVector.broadcast(Lanes.F, x[k + 4 * j + 3]).reinterpretAsShorts()).add(pairs);
            }
            IntVector sums = pairs.reinterpretAsInts();
            FloatVector sum = (FloatVector) sums.lanewise(VectorOperators.LSHL, 16).add(sums).lanewise(VectorOperators.ASHR, 16)
                    .convert(VectorOperators.I2F, 0);
            total = sum.fma(FloatVector.fromMemorySegment(Lanes.F, w, scales + InterleavedRows.SCALES * i, LITTLE_ENDIAN)
                    .mul(x[k + PairFactors.SCALE]), total);
        }
        total.intoArray(results, to);
    }

    /** As above with minima, where codes are what they are. */
    static void fourBitsWithMinima(MemorySegment w, long codes, long scales, long minima, float[] x, int at, int runs,
            float[] results, int to) {
        FloatVector total = FloatVector.fromArray(Lanes.F, results, to);
        for (int i = 0; i < runs; i++) {
            long from = codes + (long) GROUP * HALF * i;
            int k = at + PairFactors.FOUR_BITS * i;
            ShortVector pairs = FloatVector.broadcast(Lanes.F, x[k + PairFactors.OFFSET]).reinterpretAsShorts();
            for (int j = 0; j < HALF / 4; j++) {
                ShortVector v = IntVector.fromMemorySegment(Lanes.I, w, from + 4L * GROUP * j, LITTLE_ENDIAN).reinterpretAsShorts();
                pairs = v.mul(FloatVector.broadcast(Lanes.F, x[k + 4 * j]).reinterpretAsShorts()).add(pairs);
                pairs = v.lanewise(VectorOperators.LSHR, 4)
                        .mul(FloatVector.broadcast(Lanes.F, x[k + 4 * j + 1]).reinterpretAsShorts()).add(pairs);
                pairs = v.lanewise(VectorOperators.LSHR, 8)
                        .mul(FloatVector.broadcast(Lanes.F, x[k + 4 * j + 2]).reinterpretAsShorts()).add(pairs);
                pairs = v.lanewise(VectorOperators.LSHR, 12)
                        .mul(FloatVector.broadcast(Lanes.F, x[k + 4 * j + 3]).reinterpretAsShorts()).add(pairs);
            }
            IntVector sums = pairs.reinterpretAsInts();
            FloatVector sum = ((FloatVector) sums.lanewise(VectorOperators.LSHL, 16).add(sums)
                    .lanewise(VectorOperators.ASHR, 16).convert(VectorOperators.I2F, 0)).add(x[k + PairFactors.LACK]);
            FloatVector scale = FloatVector.broadcast(Lanes.F, x[k + PairFactors.SCALE]);
            total = sum.fma(FloatVector.fromMemorySegment(Lanes.F, w, scales + InterleavedRows.SCALES * i, LITTLE_ENDIAN)
                    .mul(scale), total);
            total = FloatVector.fromMemorySegment(Lanes.F, w, minima + InterleavedRows.SCALES * i, LITTLE_ENDIAN).mul(scale)
                    .fma(FloatVector.broadcast(Lanes.F, x[k + PairFactors.SUM]), total);
        }
        total.intoArray(results, to);
    }

    /**
     * Sums of products of codes of one byte, block by block: lanes are rows of weights.
     *
     * @param at where the codes of the first block begin
     * @param part the first row of weights
     * @param x codes of activations as floats
     * @param x0 where those of the row begin
     * @param runs blocks
     * @param sums receives a vector for each block, 16 floats apart
     */
    static void eightBits(MemorySegment w, long at, int part, float[] x, int x0, int runs, float[] sums, int to) {
        for (int i = 0; i < runs; i++) {
            long from = at + 4L * part + (long) GROUP * BLOCK * i;
            int first = BLOCK * i;
            FloatVector a = FloatVector.zero(Lanes.F);
            FloatVector b = a;
            FloatVector c = a;
            FloatVector d = a;
            for (int j = 0; j < BLOCK / 4; j++) {
                int k = x0 + first + 4 * j;
                IntVector four = IntVector.fromMemorySegment(Lanes.I, w, from + 4L * GROUP * j, LITTLE_ENDIAN);
                a = ((FloatVector) four.and(BYTE).convert(VectorOperators.I2F, 0)).fma(FloatVector.broadcast(Lanes.F, x[k]), a);
                b = ((FloatVector) four.and(BYTE << 8).convert(VectorOperators.I2F, 0))
                        .fma(FloatVector.broadcast(Lanes.F, x[k + 1]), b);
                c = ((FloatVector) four.and(BYTE << 16).convert(VectorOperators.I2F, 0))
                        .fma(FloatVector.broadcast(Lanes.F, x[k + 2]), c);
                d = ((FloatVector) four.lanewise(VectorOperators.LSHR, 24).convert(VectorOperators.I2F, 0))
                        .fma(FloatVector.broadcast(Lanes.F, x[k + 3]), d);
            }
            a.add(b.mul(0x1p-8f)).add(c.mul(0x1p-16f).add(d)).intoArray(sums, to + GROUP * i);
        }
    }

    /**
     * As above, of four rows of activations.
     *
     * @param each floats from the sums of a row of activations to those of the next
     */
    static void eightBits(MemorySegment w, long at, int part, float[] x, int x0, int x1, int x2, int x3, int runs, float[] sums,
            int to, int each) {
        for (int i = 0; i < runs; i++) {
            long from = at + 4L * part + (long) GROUP * BLOCK * i;
            int first = BLOCK * i;
            FloatVector a = FloatVector.zero(Lanes.F);
            FloatVector b = a;
            FloatVector c = a;
            FloatVector d = a;
            FloatVector e = a;
            FloatVector f = a;
            FloatVector g = a;
            FloatVector h = a;
            for (int pair = 0; pair < BLOCK / 2; pair++) {
                int j = pair >> 1;
                int k = first + 2 * pair;
                IntVector two = IntVector.fromMemorySegment(Lanes.I, w, from + 4L * GROUP * j, LITTLE_ENDIAN)
                        .lanewise(VectorOperators.LSHR, 16 * (pair & 1));
                FloatVector low = (FloatVector) two.and(BYTE).convert(VectorOperators.I2F, 0);
                a = low.fma(FloatVector.broadcast(Lanes.F, x[x0 + k]), a);
                b = low.fma(FloatVector.broadcast(Lanes.F, x[x1 + k]), b);
                c = low.fma(FloatVector.broadcast(Lanes.F, x[x2 + k]), c);
                d = low.fma(FloatVector.broadcast(Lanes.F, x[x3 + k]), d);
                FloatVector high = (FloatVector) two.lanewise(VectorOperators.LSHR, 8).and(BYTE).convert(VectorOperators.I2F, 0);
                e = high.fma(FloatVector.broadcast(Lanes.F, x[x0 + k + 1]), e);
                f = high.fma(FloatVector.broadcast(Lanes.F, x[x1 + k + 1]), f);
                g = high.fma(FloatVector.broadcast(Lanes.F, x[x2 + k + 1]), g);
                h = high.fma(FloatVector.broadcast(Lanes.F, x[x3 + k + 1]), h);
            }
            a.add(e).intoArray(sums, to + GROUP * i);
            b.add(f).intoArray(sums, to + each + GROUP * i);
            c.add(g).intoArray(sums, to + 2 * each + GROUP * i);
            d.add(h).intoArray(sums, to + 3 * each + GROUP * i);
        }
    }

    /** Sums of products of codes of four bits; the lower bits of a byte are an element of the first half of a block. */
    static void fourBits(MemorySegment w, long at, int part, float[] x, int x0, int runs, float[] sums, int to) {
        for (int i = 0; i < runs; i++) {
            long from = at + 4L * part + (long) GROUP * HALF * i;
            int first = BLOCK * i;
            FloatVector a = FloatVector.zero(Lanes.F);
            FloatVector b = a;
            FloatVector c = a;
            FloatVector d = a;
            for (int j = 0; j < HALF / 2; j++) {
                int k = x0 + first + 2 * j;
                IntVector two = IntVector.fromMemorySegment(Lanes.I, w, from + 4L * GROUP * (j >> 1), LITTLE_ENDIAN)
                        .lanewise(VectorOperators.LSHR, 16 * (j & 1));
                a = ((FloatVector) two.and(NIBBLE).convert(VectorOperators.I2F, 0)).fma(FloatVector.broadcast(Lanes.F, x[k]), a);
                b = ((FloatVector) two.and(NIBBLE << 4).convert(VectorOperators.I2F, 0))
                        .fma(FloatVector.broadcast(Lanes.F, x[k + HALF]), b);
                c = ((FloatVector) two.and(NIBBLE << 8).convert(VectorOperators.I2F, 0))
                        .fma(FloatVector.broadcast(Lanes.F, x[k + 1]), c);
                d = ((FloatVector) two.and(NIBBLE << 12).convert(VectorOperators.I2F, 0))
                        .fma(FloatVector.broadcast(Lanes.F, x[k + HALF + 1]), d);
            }
            a.add(b.mul(0x1p-4f)).add(c.add(d.mul(0x1p-4f)).mul(0x1p-8f)).intoArray(sums, to + GROUP * i);
        }
    }

    /** As above, of four rows of activations. */
    static void fourBits(MemorySegment w, long at, int part, float[] x, int x0, int x1, int x2, int x3, int runs, float[] sums,
            int to, int each) {
        for (int i = 0; i < runs; i++) {
            long from = at + 4L * part + (long) GROUP * HALF * i;
            int first = BLOCK * i;
            FloatVector a = FloatVector.zero(Lanes.F);
            FloatVector b = a;
            FloatVector c = a;
            FloatVector d = a;
            FloatVector e = a;
            FloatVector f = a;
            FloatVector g = a;
            FloatVector h = a;
            for (int k = first; k < first + HALF; k++) {
                int j = k - first >> 2;
                IntVector pair = IntVector.fromMemorySegment(Lanes.I, w, from + 4L * GROUP * j, LITTLE_ENDIAN)
                        .lanewise(VectorOperators.LSHR, 8 * (k & 3));
                FloatVector low = (FloatVector) pair.and(NIBBLE).convert(VectorOperators.I2F, 0);
                a = low.fma(FloatVector.broadcast(Lanes.F, x[x0 + k]), a);
                b = low.fma(FloatVector.broadcast(Lanes.F, x[x1 + k]), b);
                c = low.fma(FloatVector.broadcast(Lanes.F, x[x2 + k]), c);
                d = low.fma(FloatVector.broadcast(Lanes.F, x[x3 + k]), d);
                FloatVector high = (FloatVector) pair.lanewise(VectorOperators.LSHR, 4).and(NIBBLE).convert(VectorOperators.I2F,
                        0);
                e = high.fma(FloatVector.broadcast(Lanes.F, x[x0 + k + HALF]), e);
                f = high.fma(FloatVector.broadcast(Lanes.F, x[x1 + k + HALF]), f);
                g = high.fma(FloatVector.broadcast(Lanes.F, x[x2 + k + HALF]), g);
                h = high.fma(FloatVector.broadcast(Lanes.F, x[x3 + k + HALF]), h);
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
     * @param scales where its scales are
     * @param xScales where the scales of the activations begin
     * @param to the results
     */
    static void add(float[] floats, int sums, MemorySegment w, long scales, MemorySegment x, long xScales, int runs,
            int to) {
        FloatVector total = FloatVector.fromArray(Lanes.F, floats, to);
        for (int i = 0; i < runs; i++) {
            float scale = x.get(JAVA_FLOAT_UNALIGNED, xScales + 4L * i);
            total = FloatVector.fromArray(Lanes.F, floats, sums + GROUP * i)
                    .fma(FloatVector.fromMemorySegment(Lanes.F, w, scales + InterleavedRows.SCALES * i, LITTLE_ENDIAN).mul(scale),
                            total);
        }
        total.intoArray(floats, to);
    }

    /** As {@link #add}, with minima. */
    static void addWithMinima(float[] floats, int sums, MemorySegment w, long scales, long minima, MemorySegment x,
            long xScales, long xSums, int runs, int to) {
        FloatVector total = FloatVector.fromArray(Lanes.F, floats, to);
        for (int i = 0; i < runs; i++) {
            float scale = x.get(JAVA_FLOAT_UNALIGNED, xScales + 4L * i);
            total = FloatVector.fromArray(Lanes.F, floats, sums + GROUP * i)
                    .fma(FloatVector.fromMemorySegment(Lanes.F, w, scales + InterleavedRows.SCALES * i, LITTLE_ENDIAN).mul(scale),
                            total);
            total = FloatVector.fromMemorySegment(Lanes.F, w, minima + InterleavedRows.SCALES * i, LITTLE_ENDIAN).mul(scale)
                    .fma(FloatVector.broadcast(Lanes.F, x.get(JAVA_FLOAT_UNALIGNED, xSums + 4L * i)), total);
        }
        total.intoArray(floats, to);
    }
}
