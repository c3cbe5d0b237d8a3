package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import org.maniple.api.tensor.BlockCodec;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;

/** Products of floats with weights of a block type: a few rows of weights are made floats, and multiplied as such. */
final class DecodedProduct implements Product {

    /** Rows of weights that are made floats at once. */
    private static final int PANEL_ROWS = 4;

    private final BlockCodec codec;
    private final BlockRows rows;
    private final PlainProduct floats;
    private final long rowBytes;

    /**
     * Products.
     *
     * @param type the block type
     * @param rows how rows are held
     * @param leafEnds where leaves end, in elements of a row that are its own
     */
    DecodedProduct(DType type, BlockRows rows, int[] leafEnds) {
        this.codec = BlockCodec.of(type);
        this.rows = rows;
        this.floats = new PlainProduct(new F32Rows(), leafEnds);
        this.rowBytes = type.bytes(rows.held());
    }

    @Override
    public int count() {
        return floats.count();
    }

    @Override
    public long rowBytes() {
        return rowBytes;
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
        if (rows.whole()) {
            codec.decode(w, row * rowBytes, out, to, rows.held());
            return;
        }
        MemorySegment panel = scratch.panel();
        codec.decode(w, row * rowBytes, panel, heldAt(), rows.held());
        for (int i = 0; i < rows.runs().size(); i++) {
            BlockRows.Run run = rows.runs().get(i);
            MemorySegment.copy(panel, heldAt() + 4L * run.held(), out, to + 4L * run.from(), 4L * run.count());
        }
    }
}
