package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * Products of a few rows of weights with rows of floats, cut into the tiles of {@link WeightRows}. Each result is the same sum whatever
 * tile it falls into.
 *
 * @param weights kernels for the type of the weights
 * @param count elements of a row
 */
record Product(WeightRows weights, int count) {

    /**
     * Computes {@code out[m][n] = x[m] · w[n]}. All offsets and strides are in bytes.
     *
     * @param rows rows of {@code x}
     * @param columns rows of {@code w}
     * @param lanes scratch of the thread
     */
    void compute(MemorySegment w, long wAt, long wStride, int columns, MemorySegment x, long xAt, long xStride, int rows,
            MemorySegment out, long outAt, long outStride, float[] lanes) {
        int row = 0;
        while (row < rows) {
            long x0 = xAt + row * xStride;
            long to = outAt + row * outStride;
            if (row == rows - 1) {
                single(w, wAt, wStride, columns, x, x0, out, to, lanes);
                row++;
            } else {
                int taken = Math.min(4, rows - row);
                tiles(w, wAt, wStride, columns, x, x0, xStride, taken, out, to, outStride, lanes);
                row += taken;
            }
        }
    }

    private void single(MemorySegment w, long wAt, long wStride, int columns, MemorySegment x, long x0, MemorySegment out,
            long to,
            float[] lanes) {
        int whole = count - count % Lanes.COUNT;
        for (int n = 0; n < columns; n += WeightRows.ROWS_OF_FOUR) {
            int taken = Math.min(WeightRows.ROWS_OF_FOUR, columns - n);
            long first = wAt + n * wStride;
            weights.four(w, part(first, wStride, 0, taken), part(first, wStride, 1, taken), part(first, wStride, 2, taken),
                    part(first, wStride, 3, taken), x, x0, whole, lanes);
            for (int i = 0; i < taken; i++) {
                finish(w, first + i * wStride, x, x0, whole, out, to + 4L * (n + i), lanes, i * Lanes.COUNT);
            }
        }
    }

    /** Where the weights of an accumulator begin; those of rows that do not exist are computed like the last one, and dropped. */
    private long part(long first, long stride, int accumulator, int rows) {
        int row = Math.min(accumulator / Lanes.PARTS, rows - 1);
        return first + row * stride + (long) (accumulator % Lanes.PARTS) * Lanes.L * weights.bytes();
    }

    private void tiles(MemorySegment w, long wAt, long wStride, int columns, MemorySegment x, long x0, long xStride, int rows,
            MemorySegment out, long to, long outStride, float[] lanes) {
        int whole = count - count % Lanes.COUNT;
        long x1 = x0 + xStride;
        long x2 = x0 + Math.min(2, rows - 1) * xStride;
        long x3 = x0 + Math.min(3, rows - 1) * xStride;
        for (int n = 0; n < columns; n += WeightRows.ROWS_OF_TILE) {
            int taken = Math.min(WeightRows.ROWS_OF_TILE, columns - n);
            long w0 = wAt + n * wStride;
            long w1 = Lanes.PARTS > 1 ? w0 + (long) Lanes.L * weights.bytes() : w0 + (taken - 1) * wStride;
            weights.tile(w, w0, w1, x, x0, x1, x2, x3, whole, lanes, 0);
            if (WeightRows.TILE_PASSES == 2) {
                long later = 2L * Lanes.L;
                long wLater = later * weights.bytes();
                weights.tile(w, w0 + wLater, w1 + wLater, x, x0 + 4 * later, x1 + 4 * later, x2 + 4 * later, x3 + 4 * later,
                        whole, lanes,
                        2 * Lanes.L);
            }
            for (int i = 0; i < taken; i++) {
                for (int m = 0; m < rows; m++) {
                    finish(w, w0 + i * wStride, x, x0 + m * xStride, whole, out, to + m * outStride + 4L * (n + i), lanes,
                            (4 * i + m) * Lanes.COUNT);
                }
            }
        }
    }

    private void finish(MemorySegment w, long wAt, MemorySegment x, long xAt, int whole, MemorySegment out, long to,
            float[] lanes,
            int at) {
        float sum = Lanes.fold(lanes, at);
        if (whole < count) {
            sum += weights.rest(w, wAt, x, xAt, whole, count);
        }
        out.set(JAVA_FLOAT_UNALIGNED, to, sum);
    }
}
