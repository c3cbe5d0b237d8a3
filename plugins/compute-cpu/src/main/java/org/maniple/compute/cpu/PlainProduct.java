package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** Products with weights that are what they are, cut into the tiles of {@link WeightRows}. */
final class PlainProduct implements Product {

    private final WeightRows weights;
    private final int[] leafEnds;

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
        this.weights = weights;
        this.leafEnds = leafEnds;
    }

    @Override
    public int count() {
        return leafEnds[leafEnds.length - 1];
    }

    @Override
    public long rowBytes() {
        return (long) count() * weights.bytes();
    }

    @Override
    public long panelBytes() {
        return 0;
    }

    @Override
    public void compute(MemorySegment w, long firstRow, MemorySegment factors, int columns, MemorySegment x, long xAt,
            long xStride, int xRow, int rows, MemorySegment out, long outAt, long outStride, Scratch scratch) {
        compute(w, firstRow * rowBytes(), rowBytes(), columns, x, xAt + xRow * xStride, xStride, rows, out, outAt, outStride,
                scratch.lanes());
    }

    @Override
    public void widen(MemorySegment w, long row, MemorySegment factors, MemorySegment out, long to, Scratch scratch) {
        weights.widen(w, row * rowBytes(), out, to, count());
    }

    /** As {@link Product#compute}, with rows that begin at a byte and follow each other at some distance. */
    void compute(MemorySegment w, long wAt, long wStride, int columns, MemorySegment x, long xAt, long xStride, int rows,
            MemorySegment out, long outAt, long outStride, float[] lanes) {
        int row = 0;
        while (row < rows) {
            long x0 = xAt + row * xStride;
            long to = outAt + row * outStride;
            int taken = Math.min(4, rows - row);
            if (taken == 1) {
                single(w, wAt, wStride, columns, x, x0, out, to, lanes);
            } else {
                tiles(w, wAt, wStride, columns, x, x0, xStride, taken, out, to, outStride, lanes);
            }
            row += taken;
        }
    }

    private void single(MemorySegment w, long wAt, long wStride, int columns, MemorySegment x, long x0, MemorySegment out,
            long to, float[] lanes) {
        for (int n = 0; n < columns; n += WeightRows.ROWS_OF_FOUR) {
            int taken = Math.min(WeightRows.ROWS_OF_FOUR, columns - n);
            long first = wAt + n * wStride;
            for (int leaf = 0; leaf < leafEnds.length; leaf++) {
                int start = start(leaf);
                long begin = first + (long) start * weights.bytes();
                weights.four(w, part(begin, wStride, 0, taken), part(begin, wStride, 1, taken), part(begin, wStride, 2, taken),
                        part(begin, wStride, 3, taken), x, x0 + 4L * start, whole(leaf), lanes);
                for (int i = 0; i < taken; i++) {
                    float sum = finish(w, first + i * wStride, x, x0, leaf, lanes, i * Lanes.COUNT);
                    out.set(JAVA_FLOAT_UNALIGNED, to + 4L * (n + i), Leaves.add(lanes, i, leaf, sum));
                }
            }
        }
    }

    private int start(int leaf) {
        return leaf == 0 ? 0 : leafEnds[leaf - 1];
    }

    /** Elements of a leaf that fill all partial sums. */
    private int whole(int leaf) {
        int length = leafEnds[leaf] - start(leaf);
        return length - length % Lanes.COUNT;
    }

    /** Where the weights of an accumulator begin; those of rows that do not exist are computed like the last one, and dropped. */
    private long part(long first, long stride, int accumulator, int rows) {
        int row = Math.min(accumulator / Lanes.PARTS, rows - 1);
        return first + row * stride + (long) (accumulator % Lanes.PARTS) * Lanes.L * weights.bytes();
    }

    private void tiles(MemorySegment w, long wAt, long wStride, int columns, MemorySegment x, long x0, long xStride, int rows,
            MemorySegment out, long to, long outStride, float[] lanes) {
        long x2 = Math.min(2, rows - 1) * xStride;
        long x3 = Math.min(3, rows - 1) * xStride;
        for (int n = 0; n < columns; n += WeightRows.ROWS_OF_TILE) {
            int taken = Math.min(WeightRows.ROWS_OF_TILE, columns - n);
            long first = wAt + n * wStride;
            for (int leaf = 0; leaf < leafEnds.length; leaf++) {
                int start = start(leaf);
                long begin = first + (long) start * weights.bytes();
                long xBegin = x0 + 4L * start;
                tile(w, part(begin, wStride, 0, taken), part(begin, wStride, 1, taken), x, xBegin, xBegin + xStride, xBegin + x2,
                        xBegin + x3, whole(leaf), lanes);
                for (int i = 0; i < taken; i++) {
                    for (int m = 0; m < rows; m++) {
                        float sum = finish(w, first + i * wStride, x, x0 + m * xStride, leaf, lanes, (4 * i + m) * Lanes.COUNT);
                        out.set(JAVA_FLOAT_UNALIGNED, to + m * outStride + 4L * (n + i),
                                Leaves.add(lanes, 4 * i + m, leaf, sum));
                    }
                }
            }
        }
    }

    private void tile(MemorySegment w, long w0, long w1, MemorySegment x, long x0, long x1, long x2, long x3, int whole,
            float[] lanes) {
        weights.tile(w, w0, w1, x, x0, x1, x2, x3, whole, lanes, 0);
        if (WeightRows.TILE_PASSES == 2) {
            long later = 2L * Lanes.L;
            long wLater = later * weights.bytes();
            weights.tile(w, w0 + wLater, w1 + wLater, x, x0 + 4 * later, x1 + 4 * later, x2 + 4 * later, x3 + 4 * later, whole,
                    lanes, 2 * Lanes.L);
        }
    }

    private float finish(MemorySegment w, long wAt, MemorySegment x, long xAt, int leaf, float[] lanes, int at) {
        float sum = Lanes.fold(lanes, at);
        int from = start(leaf) + whole(leaf);
        return from < leafEnds[leaf] ? sum + weights.rest(w, wAt, x, xAt, from, leafEnds[leaf]) : sum;
    }
}
