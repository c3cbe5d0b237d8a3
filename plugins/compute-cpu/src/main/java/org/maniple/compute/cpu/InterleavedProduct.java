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

    /** Sums of blocks, for each row of activations, results of leaves likewise, and its codes. */
    @Override
    public int panelFloats() {
        return codes(TOGETHER);
    }

    private int codes(int m) {
        return results(TOGETHER) + m * layout.blocks() * BlockUnpacker.ACTIVATIONS;
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
        float[] floats = scratch.floats();
        for (int m = 0; m < xRows;) {
            int together = xRows - m < TOGETHER ? 1 : TOGETHER;
            for (int i = 0; i < together; i++) {
                MemorySegment.copy(x, JAVA_FLOAT_UNALIGNED, input.row(xAt, xRow + m + i), floats, codes(i),
                        layout.blocks() * BlockUnpacker.ACTIVATIONS);
            }
            for (int n = 0; n < columns; n += GROUP) {
                rows(w, (firstRow + n) / GROUP * layout.groupBytes(), x, xAt, xRow + m, together, floats);
                int taken = Math.min(GROUP, columns - n);
                for (int i = 0; i < together; i++) {
                    MemorySegment.copy(floats, results(i), out, JAVA_FLOAT_UNALIGNED, outAt + (m + i) * outStride + 4L * n,
                            taken);
                }
            }
            m += together;
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
                multiply(w, group + (long) GROUP * layout.codeBytes() * from, from * BlockUnpacker.ACTIVATIONS, together, taken,
                        floats);
                for (int m = 0; m < together; m++) {
                    add(w, group + InterleavedRows.SCALES * from, x, input.row(xAt, xRow + m), from, taken, floats, m,
                            results(m) + leaf * GROUP);
                }
            }
            start = leafEnds[leaf];
        }
        for (int m = 0; m < together; m++) {
            tree(floats, results(m));
        }
    }

    /** Forms the sums of some blocks, of which the first begins at an element. */
    private void multiply(MemorySegment w, long at, int from, int together, int taken, float[] floats) {
        boolean bytes = layout.type() == DType.Q8_0;
        int x0 = codes(0) + from;
        int x1 = codes(1) + from;
        int x2 = codes(2) + from;
        int x3 = codes(3) + from;
        for (int part = 0; part < GROUP; part += Lanes.L) {
            int to = sums(0) + part;
            if (together == 1 && bytes) {
                InterleavedKernels.eightBits(w, at, part, floats, x0, taken, floats, to);
            } else if (together == 1) {
                InterleavedKernels.fourBits(w, at, part, floats, x0, taken, floats, to);
            } else if (bytes) {
                InterleavedKernels.eightBits(w, at, part, floats, x0, x1, x2, x3, taken, floats, to, sums(1));
            } else {
                InterleavedKernels.fourBits(w, at, part, floats, x0, x1, x2, x3, taken, floats, to, sums(1));
            }
        }
    }

    private void add(MemorySegment w, long at, MemorySegment x, long row, int from, int taken, float[] floats, int m, int to) {
        if (layout.offset() != 0) {
            BlockKernels.offset(floats, sums(m), taken, layout.offset(), x, row + input.sums() + 4L * from);
        }
        for (int part = 0; part < GROUP; part += Lanes.L) {
            long scales = at + layout.scalesAt() + 4L * part;
            if (layout.minima()) {
                InterleavedKernels.addWithMinima(floats, sums(m) + part, w, scales,
                        scales + layout.minimaAt() - layout.scalesAt(), x,
                        row + input.scales() + 4L * from, row + input.sums() + 4L * from, taken, to + part);
            } else {
                InterleavedKernels.add(floats, sums(m) + part, w, scales, x, row + input.scales() + 4L * from, taken, to + part);
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
