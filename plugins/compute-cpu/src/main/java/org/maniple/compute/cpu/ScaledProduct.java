package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * Products with FP8 weights whose blocks have factors. A few rows of floats are multiplied with the bytes as they are read; for many rows, and
 * where blocks end at odd places, some rows of weights are made floats first. Both multiply the same floats in the same order.
 */
final class ScaledProduct implements Product {

    /** Rows of floats from which on it is faster to make the weights floats once. */
    private static final int MANY = 9;
    /** Rows of weights that are made floats at once. */
    private static final int PANEL_ROWS = 4;

    private final PlainProduct floats;
    private final int[] leafEnds;
    private final RowBlocks blocks;
    private final boolean direct;
    private final long factorStride;

    /**
     * Products.
     *
     * @param leafEnds where leaves end, in elements of a row
     * @param blockEnds where blocks end
     * @param shared whether all rows have the same factors
     */
    ScaledProduct(int[] leafEnds, List<Integer> blockEnds, boolean shared) {
        this.floats = new PlainProduct(new F32Rows(), leafEnds);
        this.leafEnds = leafEnds;
        this.blocks = RowBlocks.of(blockEnds);
        this.direct = blocks.grouped() && Arrays.stream(leafEnds).allMatch(end -> end % Lanes.COUNT == 0);
        this.factorStride = shared ? 0 : 4L * blockEnds.size();
    }

    @Override
    public int count() {
        return floats.count();
    }

    @Override
    public long rowBytes() {
        return count();
    }

    @Override
    public long panelBytes() {
        return 4L * PANEL_ROWS * count();
    }

    @Override
    public void compute(MemorySegment w, long firstRow, MemorySegment factors, int columns, MemorySegment x, long xAt,
            long xStride, int xRow, int rows, MemorySegment out, long outAt, long outStride, Scratch scratch) {
        long x0 = xAt + xRow * xStride;
        long wAt = firstRow * rowBytes();
        long factorsAt = firstRow * factorStride;
        if (direct && rows < MANY) {
            for (int row = 0; row < rows; row += 4) {
                few(w, wAt, rowBytes(), factors, factorsAt, columns, x, x0 + row * xStride, xStride, Math.min(4, rows - row), out,
                        outAt + row * outStride, outStride, scratch.lanes());
            }
            return;
        }
        MemorySegment panel = scratch.panel();
        for (int n = 0; n < columns; n += PANEL_ROWS) {
            int taken = Math.min(PANEL_ROWS, columns - n);
            for (int i = 0; i < taken; i++) {
                widen(w, wAt + (n + i) * rowBytes(), factors, factorsAt + (n + i) * factorStride, panel, 4L * i * count());
            }
            floats.compute(panel, 0, 4L * count(), taken, x, x0, xStride, rows, out, outAt + 4L * n, outStride, scratch.lanes());
        }
    }

    @Override
    public void widen(MemorySegment w, long row, MemorySegment factors, MemorySegment out, long to, Scratch scratch) {
        widen(w, row * rowBytes(), factors, row * factorStride, out, to);
    }

    private void widen(MemorySegment w, long wAt, MemorySegment factors, long factor, MemorySegment out, long to) {
        if (blocks.grouped()) {
            Fp8Rows.widen(w, wAt, factors, factor, blocks.ofGroup(), out, to);
            return;
        }
        int from = 0;
        for (int block = 0; block < blocks.ends().length; block++) {
            int end = blocks.ends()[block];
            Fp8Rows.widen(w, wAt + from, factors.get(JAVA_FLOAT_UNALIGNED, factor + 4L * block), out, to + 4L * from, end - from);
            from = end;
        }
    }

    /** Up to four rows of floats. */
    private void few(MemorySegment w, long wAt, long wStride, MemorySegment factors, long factorsAt, int columns, MemorySegment x,
            long x0, long xStride, int rows, MemorySegment out, long to, long outStride, float[] lanes) {
        for (int n = 0; n < columns; n += WeightRows.ROWS_OF_TILE) {
            int taken = Math.min(WeightRows.ROWS_OF_TILE, columns - n);
            long w0 = wAt + n * wStride;
            long w1 = Lanes.PARTS > 1 ? w0 + Lanes.L : w0 + (taken - 1) * wStride;
            long f0 = factorsAt + n * factorStride;
            long f1 = f0 + (taken - 1) * factorStride;
            for (int leaf = 0; leaf < leafEnds.length; leaf++) {
                for (int pass = 0; pass < WeightRows.TILE_PASSES; pass++) {
                    int later = 2 * Lanes.L * pass;
                    sum(w, w0 + later, w1 + later, factors, f0, f1, x, x0 + 4L * later, xStride, rows, leaf, lanes, later);
                }
                for (int i = 0; i < taken; i++) {
                    for (int m = 0; m < rows; m++) {
                        float sum = Lanes.fold(lanes, (4 * i + m) * Lanes.COUNT);
                        out.set(JAVA_FLOAT_UNALIGNED, to + m * outStride + 4L * (n + i),
                                Leaves.add(lanes, 4 * i + m, leaf, sum));
                    }
                }
            }
        }
    }

    /** Partial sums of two vectors of weights. */
    private void sum(MemorySegment w, long w0, long w1, MemorySegment factors, long f0, long f1, MemorySegment x, long x0,
            long xStride, int rows, int leaf, float[] lanes, int at) {
        int from = leaf == 0 ? 0 : leafEnds[leaf - 1] / Lanes.COUNT;
        int end = leafEnds[leaf] / Lanes.COUNT;
        if (rows == 1) {
            Fp8Rows.two(w, w0, w1, factors, f0, f1, x, x0, blocks.ofGroup(), from, end, lanes, at);
        } else {
            Fp8Rows.tile(w, w0, w1, factors, f0, f1, x, x0, x0 + xStride, x0 + Math.min(2, rows - 1) * xStride,
                    x0 + Math.min(3, rows - 1) * xStride, blocks.ofGroup(), from, end, lanes, at);
        }
    }
}
