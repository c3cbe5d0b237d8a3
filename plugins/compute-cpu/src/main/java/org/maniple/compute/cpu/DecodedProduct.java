package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import org.maniple.api.tensor.BlockRows;

/** Products of floats with weights of a block type: a few rows of weights are made floats, and multiplied as such. */
final class DecodedProduct implements Product {

    /** Rows of weights that are made floats at once. */
    private static final int PANEL_ROWS = 4;

    private final BlockUnpacker unpacker;
    private final BlockRows rows;
    private final PlainProduct floats;
    private final int blocks;
    private final long rowBytes;

    /**
     * Products.
     *
     * @param unpacker for the type
     * @param rows how rows are held
     * @param leafEnds where leaves end, in elements of a row that are its own
     */
    DecodedProduct(BlockUnpacker unpacker, BlockRows rows, int[] leafEnds) {
        this.unpacker = unpacker;
        this.rows = rows;
        this.floats = new PlainProduct(new F32Rows(), leafEnds);
        this.blocks = rows.held() / unpacker.type().blockElements();
        this.rowBytes = unpacker.type().bytes(rows.held());
    }

    @Override
    public int count() {
        return floats.count();
    }

    @Override
    public long rowBytes() {
        return rowBytes;
    }

    /** Panel rows, and behind them a row as it is held, and its codes. */
    @Override
    public long panelBytes() {
        return codesAt() + rows.held();
    }

    private long codesAt() {
        return heldAt() + 4L * rows.held();
    }

    /** A row's scales and minima. */
    @Override
    public int panelFloats() {
        return 2 * runs();
    }

    private int runs() {
        return rows.held() / unpacker.run();
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
            decode(w, row, out, to, scratch);
            return;
        }
        MemorySegment panel = scratch.panel();
        decode(w, row, panel, heldAt(), scratch);
        for (int i = 0; i < rows.runs().size(); i++) {
            BlockRows.Run run = rows.runs().get(i);
            MemorySegment.copy(panel, heldAt() + 4L * run.held(), out, to + 4L * run.from(), 4L * run.count());
        }
    }

    /** All elements that are held of a row. */
    private void decode(MemorySegment w, long row, MemorySegment out, long to, Scratch scratch) {
        float[] scales = scratch.floats();
        unpacker.codes(w, row * rowBytes, blocks, scratch.panel(), codesAt());
        unpacker.scales(w, row * rowBytes, blocks, scales, 0, runs(), 1);
        if (unpacker.minima()) {
            BlockKernels.decodeWithMinima(scratch.panel(), codesAt(), scales, runs(), unpacker.run(), out, to);
        } else {
            BlockKernels.decode(scratch.panel(), codesAt(), scales, runs(), unpacker.run(), out, to);
        }
    }
}
