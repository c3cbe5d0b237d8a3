package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;

/** Products of {@link QuantizedRows} with {@link InterleavedRows}: lanes are rows of weights. */
final class InterleavedProduct implements Product {

    private static final int GROUP = InterleavedRows.GROUP;
    /** Blocks whose sums are formed before they are added. */
    private static final int CHUNK = 64;
    /** Rows of activations that are multiplied at once. */
    private static final int TOGETHER = 4;
    /** What codes of Q4_0 have too much, as they are multiplied. */
    private static final int OFFSET = 8;

    private final InterleavedRows layout;
    private final QuantizedRows input;
    private final int columns;
    private final int[] leafEnds;

    /**
     * Products.
     *
     * @param layout of the weights
     * @param rows how rows are held
     * @param leafEnds where leaves end, in elements of a row that are its own
     */
    InterleavedProduct(InterleavedRows layout, BlockRows rows, int[] leafEnds) {
        this.layout = layout;
        this.input = new QuantizedRows(rows, false);
        this.columns = leafEnds[leafEnds.length - 1];
        this.leafEnds = BlockLeaves.ends(rows, leafEnds);
    }

    @Override
    public Optional<Preparation> preparation() {
        return Optional.of(input);
    }

    @Override
    public int count() {
        return columns;
    }

    @Override
    public long rowBytes() {
        return layout.rowBytes();
    }

    @Override
    public int rowsTogether() {
        return GROUP;
    }

    @Override
    public long panelBytes() {
        return 0;
    }

    /** Sums of blocks, for each row of activations, and results of leaves likewise. */
    @Override
    public int panelFloats() {
        return results(0) + TOGETHER * leafEnds.length * GROUP;
    }

    private static int sums(int m) {
        return m * CHUNK * GROUP;
    }

    private int results(int m) {
        return sums(TOGETHER) + m * leafEnds.length * GROUP;
    }

    @Override
    public void compute(MemorySegment w, long firstRow, MemorySegment factors, int columns, MemorySegment x, long xAt,
            long xStride, int xRow, int xRows, MemorySegment out, long outAt, long outStride, Scratch scratch) {
        if (firstRow % GROUP != 0) {
            throw new IllegalArgumentException("row " + firstRow + " does not begin a group of " + GROUP);
        }
        for (int n = 0; n < columns; n += GROUP) {
            long group = (firstRow + n) / GROUP * layout.groupBytes();
            int taken = Math.min(GROUP, columns - n);
            for (int m = 0; m < xRows;) {
                int together = xRows - m < TOGETHER ? 1 : TOGETHER;
                rows(w, group, x, xAt, xRow + m, together, scratch.floats());
                for (int i = 0; i < together; i++) {
                    MemorySegment.copy(scratch.floats(), results(i), out, JAVA_FLOAT_UNALIGNED,
                            outAt + (m + i) * outStride + 4L * n, taken);
                }
                m += together;
            }
        }
    }

    /** One row of activations, or several. */
    private void rows(MemorySegment w, long group, MemorySegment x, long xAt, int xRow, int together, float[] floats) {
        for (int m = 0; m < together; m++) {
            for (int i = 0; i < leafEnds.length * GROUP; i++) {
                floats[results(m) + i] = 0;
            }
        }
        int start = 0;
        for (int leaf = 0; leaf < leafEnds.length; leaf++) {
            for (int from = start; from < leafEnds[leaf]; from += CHUNK) {
                int taken = Math.min(CHUNK, leafEnds[leaf] - from);
                long at = group + from * layout.blockBytes();
                multiply(w, at + layout.codesAt(), x, xAt, xRow, 128L * from, together, taken, floats);
                for (int m = 0; m < together; m++) {
                    add(w, at, x, input.row(xAt, xRow + m), from, taken, floats, m, results(m) + leaf * GROUP);
                }
            }
            start = leafEnds[leaf];
        }
        for (int m = 0; m < together; m++) {
            tree(floats, results(m));
        }
    }

    private void multiply(MemorySegment w, long codes, MemorySegment x, long xAt, int xRow, long from, int together, int taken,
            float[] floats) {
        long x0 = input.row(xAt, xRow) + from;
        long stride = layout.blockBytes();
        boolean bytes = layout.type() == DType.Q8_0;
        for (int part = 0; part < GROUP; part += Lanes.L) {
            if (together == 1 && bytes) {
                InterleavedKernels.eightBits(w, codes, stride, part, x, x0, taken, floats, sums(0) + part);
            } else if (together == 1) {
                InterleavedKernels.fourBits(w, codes, stride, part, x, x0, taken, floats, sums(0) + part);
            } else {
                long x1 = input.row(xAt, xRow + 1) + from;
                long x2 = input.row(xAt, xRow + 2) + from;
                long x3 = input.row(xAt, xRow + 3) + from;
                if (bytes) {
                    InterleavedKernels.eightBits(w, codes, stride, part, x, x0, x1, x2, x3, taken, floats, part, sums(1));
                } else {
                    InterleavedKernels.fourBits(w, codes, stride, part, x, x0, x1, x2, x3, taken, floats, part, sums(1));
                }
            }
        }
    }

    private void add(MemorySegment w, long at, MemorySegment x, long row, int from, int taken, float[] floats, int m, int to) {
        if (layout.type() == DType.Q4_0) {
            BlockKernels.offset(floats, sums(m), taken, OFFSET, x, row + input.sums() + 4L * from);
        }
        for (int part = 0; part < GROUP; part += Lanes.L) {
            if (layout.minima()) {
                InterleavedKernels.addWithMinima(floats, sums(m) + part, w, at + 4L * part, layout.blockBytes(), x,
                        row + input.scales() + 4L * from, row + input.sums() + 4L * from, taken, to + part);
            } else {
                InterleavedKernels.add(floats, sums(m) + part, w, at + 4L * part, layout.blockBytes(), x,
                        row + input.scales() + 4L * from, taken, to + part);
            }
        }
    }

    /** Adds the results of leaves pairwise. */
    private void tree(float[] floats, int at) {
        for (int width = 1; width < leafEnds.length; width *= 2) {
            for (int leaf = 0; leaf < leafEnds.length; leaf += 2 * width) {
                for (int i = 0; i < GROUP; i++) {
                    floats[at + leaf * GROUP + i] += floats[at + (leaf + width) * GROUP + i];
                }
            }
        }
    }

    @Override
    public void widen(MemorySegment w, long row, MemorySegment factors, MemorySegment out, long to, Scratch scratch) {
        throw new IllegalStateException("rows of " + layout.name() + " are widened by products with floats");
    }
}
