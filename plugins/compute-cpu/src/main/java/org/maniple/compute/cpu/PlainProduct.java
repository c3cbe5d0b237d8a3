package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;

/** Products with weights that are what they are. */
final class PlainProduct extends Product {

    private final WeightRows weights;

    /**
     * Products whose sums are one leaf.
     *
     * @param weights kernels for the type of the weights
     * @param count elements of a row
     */
    PlainProduct(WeightRows weights, int count) {
        this(weights, new int[] {count});
    }

    /**
     * Products.
     *
     * @param weights kernels for the type of the weights
     * @param leafEnds where leaves end, in elements of a row
     */
    PlainProduct(WeightRows weights, int[] leafEnds) {
        super(leafEnds, weights.bytes());
        this.weights = weights;
    }

    /** As {@link Product#compute}. */
    void compute(MemorySegment w, long wAt, long wStride, int columns, MemorySegment x, long xAt, long xStride, int rows,
            MemorySegment out, long outAt, long outStride, float[] lanes) {
        compute(w, wAt, wStride, w, 0, columns, x, xAt, xStride, rows, out, outAt, outStride, lanes);
    }

    @Override
    long factorStride() {
        return 0;
    }

    private int whole(int leaf) {
        int length = leafEnd(leaf) - leafStart(leaf);
        return length - length % Lanes.COUNT;
    }

    @Override
    void four(MemorySegment w, long first, long stride, MemorySegment factors, long factor, int rows, MemorySegment x, long x0,
            int leaf, float[] lanes) {
        long start = leafStart(leaf);
        long begin = first + start * weights.bytes();
        weights.four(w, part(begin, stride, 0, rows), part(begin, stride, 1, rows), part(begin, stride, 2, rows),
                part(begin, stride, 3, rows), x, x0 + 4 * start, whole(leaf), lanes);
    }

    @Override
    void tile(MemorySegment w, long first, long stride, MemorySegment factors, long factor, int rows, MemorySegment x, long x0,
            long x1, long x2, long x3, int leaf, float[] lanes) {
        long start = leafStart(leaf);
        int whole = whole(leaf);
        long begin = first + start * weights.bytes();
        long w0 = part(begin, stride, 0, rows);
        long w1 = part(begin, stride, 1, rows);
        long at = 4 * start;
        weights.tile(w, w0, w1, x, x0 + at, x1 + at, x2 + at, x3 + at, whole, lanes, 0);
        if (WeightRows.TILE_PASSES == 2) {
            long later = 2L * Lanes.L;
            long wLater = later * weights.bytes();
            at += 4 * later;
            weights.tile(w, w0 + wLater, w1 + wLater, x, x0 + at, x1 + at, x2 + at, x3 + at, whole, lanes, 2 * Lanes.L);
        }
    }

    @Override
    float finish(MemorySegment w, long wAt, MemorySegment factors, long factor, MemorySegment x, long xAt, int leaf, float[] lanes,
            int at) {
        float sum = Lanes.fold(lanes, at);
        int from = leafStart(leaf) + whole(leaf);
        return from < leafEnd(leaf) ? sum + weights.rest(w, wAt, x, xAt, from, leafEnd(leaf)) : sum;
    }
}
