package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import org.maniple.api.tensor.BlockRows;

/** Products of floats with {@link PackedRows}: a few rows of weights are made floats, and multiplied as such. */
final class PackedFloats implements Product {

    private static final int PANEL_ROWS = PackedRows.GROUP;

    private final NativeKernels kernels;
    private final PackedRows layout;
    private final BlockRows rows;
    private final PlainProduct floats;

    /**
     * Products.
     *
     * @param rows how rows are held
     * @param leafEnds where leaves end, in elements of a row that are its own
     */
    PackedFloats(NativeKernels kernels, PackedRows layout, BlockRows rows, int[] leafEnds) {
        this.kernels = kernels;
        this.layout = layout;
        this.rows = rows;
        this.floats = new PlainProduct(new F32Rows(), leafEnds);
    }

    @Override
    public int count() {
        return floats.count();
    }

    @Override
    public long rowBytes() {
        return layout.type().bytes(rows.held());
    }

    @Override
    public int rowsTogether() {
        return PackedRows.GROUP;
    }

    /** Panel rows, and behind them a row as it is held. */
    @Override
    public long panelBytes() {
        return heldAt() + 4L * rows.held();
    }

    private long heldAt() {
        return 4L * PANEL_ROWS * count();
    }

    @Override
    public void compute(MemorySegment w, long firstRow, MemorySegment factors, int columns, MemorySegment x, long xAt,
            long xStride, int xRow, int xRows, MemorySegment out, long outAt, long outStride, Scratch scratch) {
        MemorySegment panel = scratch.panel();
        for (int n = 0; n < columns; n += PANEL_ROWS) {
            int taken = Math.min(PANEL_ROWS, columns - n);
            for (int i = 0; i < taken; i++) {
                widen(w, firstRow + n + i, factors, panel, 4L * i * count(), scratch);
            }
            floats.compute(panel, 0, 4L * count(), taken, x, xAt + xRow * xStride, xStride, xRows, out, outAt + 4L * n, outStride,
                    scratch.lanes());
        }
    }

    @Override
    public void widen(MemorySegment w, long row, MemorySegment factors, MemorySegment out, long to, Scratch scratch) {
        long packed = Native.address(w, 0, layout.bytes(Math.toIntExact(row + 1)), "packed weights");
        if (rows.whole()) {
            kernels.floats(layout.type(), packed, row, layout.units(), Native.address(out, to, 4L * rows.held(), "elements"));
            return;
        }
        MemorySegment panel = scratch.panel();
        kernels.floats(layout.type(), packed, row, layout.units(), Native.address(panel, heldAt(), 4L * rows.held(), "elements"));
        for (int i = 0; i < rows.runs().size(); i++) {
            BlockRows.Run run = rows.runs().get(i);
            MemorySegment.copy(panel, heldAt() + 4L * run.held(), out, to + 4L * run.from(), 4L * run.count());
        }
    }
}
