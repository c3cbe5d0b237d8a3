package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * Products of a few rows of weights with rows of floats, cut into the tiles that the kernels for the type of the weights take. Each result
 * is the same sum whatever tile it falls into: that of its leaves, each summed by itself.
 */
abstract sealed class Product permits PlainProduct, ScaledProduct {

    private final int[] leafEnds;
    private final int bytes;

    /**
     * A product.
     *
     * @param leafEnds where leaves end, in elements of a row
     * @param bytes of a weight
     */
    Product(int[] leafEnds, int bytes) {
        this.leafEnds = leafEnds;
        this.bytes = bytes;
    }

    /** Elements of a row. */
    final int count() {
        return leafEnds[leafEnds.length - 1];
    }

    final int leafStart(int leaf) {
        return leaf == 0 ? 0 : leafEnds[leaf - 1];
    }

    final int leafEnd(int leaf) {
        return leafEnds[leaf];
    }

    /**
     * Computes {@code out[m][n] = x[m] · w[n]}. All offsets and strides are in bytes.
     *
     * @param rows rows of {@code x}
     * @param columns rows of {@code w}
     * @param factors of the blocks of the weights; not read if the weights are what they are
     * @param factorsAt where those of the first row begin
     * @param lanes scratch of the thread
     */
    final void compute(MemorySegment w, long wAt, long wStride, MemorySegment factors, long factorsAt, int columns, MemorySegment x,
            long xAt, long xStride, int rows, MemorySegment out, long outAt, long outStride, float[] lanes) {
        int row = 0;
        while (row < rows) {
            long x0 = xAt + row * xStride;
            long to = outAt + row * outStride;
            int taken = Math.min(4, rows - row);
            if (taken == 1) {
                single(w, wAt, wStride, factors, factorsAt, columns, x, x0, out, to, lanes);
            } else {
                tiles(w, wAt, wStride, factors, factorsAt, columns, x, x0, xStride, taken, out, to, outStride, lanes);
            }
            row += taken;
        }
    }

    private void single(MemorySegment w, long wAt, long wStride, MemorySegment factors, long factorsAt, int columns,
            MemorySegment x, long x0, MemorySegment out, long to, float[] lanes) {
        for (int n = 0; n < columns; n += WeightRows.ROWS_OF_FOUR) {
            int taken = Math.min(WeightRows.ROWS_OF_FOUR, columns - n);
            long first = wAt + n * wStride;
            long factor = factorsAt + n * factorStride();
            for (int leaf = 0; leaf < leafEnds.length; leaf++) {
                four(w, first, wStride, factors, factor, taken, x, x0, leaf, lanes);
                for (int i = 0; i < taken; i++) {
                    float sum = finish(w, first + i * wStride, factors, factor + i * factorStride(), x, x0, leaf, lanes,
                            i * Lanes.COUNT);
                    out.set(JAVA_FLOAT_UNALIGNED, to + 4L * (n + i), Leaves.add(lanes, i, leaf, sum));
                }
            }
        }
    }

    private void tiles(MemorySegment w, long wAt, long wStride, MemorySegment factors, long factorsAt, int columns,
            MemorySegment x, long x0, long xStride, int rows, MemorySegment out, long to, long outStride, float[] lanes) {
        long x1 = x0 + xStride;
        long x2 = x0 + Math.min(2, rows - 1) * xStride;
        long x3 = x0 + Math.min(3, rows - 1) * xStride;
        for (int n = 0; n < columns; n += WeightRows.ROWS_OF_TILE) {
            int taken = Math.min(WeightRows.ROWS_OF_TILE, columns - n);
            long w0 = wAt + n * wStride;
            long factor = factorsAt + n * factorStride();
            for (int leaf = 0; leaf < leafEnds.length; leaf++) {
                tile(w, w0, wStride, factors, factor, taken, x, x0, x1, x2, x3, leaf, lanes);
                for (int i = 0; i < taken; i++) {
                    for (int m = 0; m < rows; m++) {
                        float sum = finish(w, w0 + i * wStride, factors, factor + i * factorStride(), x, x0 + m * xStride, leaf,
                                lanes, (4 * i + m) * Lanes.COUNT);
                        out.set(JAVA_FLOAT_UNALIGNED, to + m * outStride + 4L * (n + i),
                                Leaves.add(lanes, 4 * i + m, leaf, sum));
                    }
                }
            }
        }
    }

    /** Where the weights of an accumulator begin; those of rows that do not exist are computed like the last one, and dropped. */
    final long part(long first, long stride, int accumulator, int rows) {
        return first + row(accumulator, rows) * stride + (long) (accumulator % Lanes.PARTS) * Lanes.L * bytes;
    }

    /** The row of weights that an accumulator belongs to. */
    static long row(int accumulator, int rows) {
        return Math.min(accumulator / Lanes.PARTS, rows - 1);
    }

    /** Bytes from the factors of a row to those of the next. */
    abstract long factorStride();

    /** The partial sums of a leaf for up to {@link WeightRows#ROWS_OF_FOUR} rows of weights and one row of floats. */
    abstract void four(MemorySegment w, long first, long stride, MemorySegment factors, long factor, int rows, MemorySegment x,
            long x0, int leaf, float[] lanes);

    /** The partial sums of a leaf for up to {@link WeightRows#ROWS_OF_TILE} rows of weights and four rows of floats. */
    abstract void tile(MemorySegment w, long first, long stride, MemorySegment factors, long factor, int rows, MemorySegment x,
            long x0, long x1, long x2, long x3, int leaf, float[] lanes);

    /** Adds the partial sums of a leaf that begin at an index, and the products of the elements that do not fill all of them. */
    abstract float finish(MemorySegment w, long wAt, MemorySegment factors, long factor, MemorySegment x, long xAt, int leaf,
            float[] lanes, int at);
}
