package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Products with FP8 weights whose blocks have factors. Within a leaf, the products of each block's elements are summed by themselves, in
 * partial sums that begin with the block, and added to those of the leaf times the block's factor; what does not fill the partial
 * sums of a block is summed one after the other, times the factor, and added last.
 */
final class ScaledProduct extends Product {

    private final Segments segments;
    private final long factorStride;

    /**
     * Products.
     *
     * @param leafEnds where leaves end, in elements of a row
     * @param blockEnds where blocks end
     * @param shared whether all rows have the same factors
     */
    ScaledProduct(int[] leafEnds, List<Integer> blockEnds, boolean shared) {
        super(leafEnds, 1);
        this.segments = Segments.of(leafEnds, blockEnds);
        this.factorStride = shared ? 0 : 4L * blockEnds.size();
    }

    @Override
    long factorStride() {
        return factorStride;
    }

    private long factor(long first, int accumulator, int rows) {
        return first + row(accumulator, rows) * factorStride;
    }

    @Override
    void four(MemorySegment w, long first, long stride, MemorySegment factors, long factor, int rows, MemorySegment x, long x0,
            int leaf, float[] lanes) {
        Fp8Rows.four(w, part(first, stride, 0, rows), part(first, stride, 1, rows), part(first, stride, 2, rows),
                part(first, stride, 3, rows), factors, factor, factor(factor, 1, rows), factor(factor, 2, rows),
                factor(factor, 3, rows), x, x0, segments, leaf, lanes);
    }

    @Override
    void tile(MemorySegment w, long first, long stride, MemorySegment factors, long factor, int rows, MemorySegment x, long x0,
            long x1, long x2, long x3, int leaf, float[] lanes) {
        long w0 = part(first, stride, 0, rows);
        long w1 = part(first, stride, 1, rows);
        long second = factor(factor, 1, rows);
        Fp8Rows.tile(w, w0, w1, factors, factor, second, x, x0, x1, x2, x3, segments, leaf, lanes, 0);
        if (WeightRows.TILE_PASSES == 2) {
            long later = 2L * Lanes.L;
            long at = 4 * later;
            Fp8Rows.tile(w, w0 + later, w1 + later, factors, factor, second, x, x0 + at, x1 + at, x2 + at, x3 + at, segments, leaf,
                    lanes, 2 * Lanes.L);
        }
    }

    @Override
    float finish(MemorySegment w, long wAt, MemorySegment factors, long factor, MemorySegment x, long xAt, int leaf, float[] lanes,
            int at) {
        float sum = Lanes.fold(lanes, at);
        float rest = 0;
        boolean any = false;
        for (int i = segments.ofLeaf()[leaf]; i < segments.ofLeaf()[leaf + 1]; i++) {
            int from = segments.wholes()[i];
            int to = segments.ends()[i];
            if (from < to) {
                float scale = factors.get(JAVA_FLOAT_UNALIGNED, factor + 4L * segments.blocks()[i]);
                rest = Math.fma(Fp8Rows.rest(w, wAt, x, xAt, from, to), scale, rest);
                any = true;
            }
        }
        return any ? sum + rest : sum;
    }
}
