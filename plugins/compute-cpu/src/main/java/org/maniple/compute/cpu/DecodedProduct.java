package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import org.maniple.api.tensor.BlockRows;

/** Products of floats with weights of a block type: a few rows of weights are made floats, and multiplied as such. */
final class DecodedProduct implements Product {

    /** Rows of weights that are made floats at once. */
    private static final int PANEL_ROWS = 4;

    /** How weights are held. */
    interface Source {

        /** Bytes of a row, about. */
        long rowBytes();

        /** Rows that are held together. */
        default int rowsTogether() {
            return 1;
        }

        /** Bytes that it needs to decode a row. */
        long bytes();

        /** Floats that it needs. */
        int floats();

        /**
         * Writes all elements that are held of a row.
         *
         * @param room memory of {@link #bytes}, which begins at {@code roomAt}
         * @param scales of {@link #floats}
         */
        void decode(MemorySegment w, long row, MemorySegment out, long to, MemorySegment room, long roomAt, float[] scales);
    }

    private final Source source;
    private final BlockRows rows;
    private final PlainProduct floats;

    /**
     * Products.
     *
     * @param source how weights are held
     * @param rows which elements of a row are its own
     * @param leafEnds where leaves end, in elements of a row that are its own
     */
    DecodedProduct(Source source, BlockRows rows, int[] leafEnds) {
        this.source = source;
        this.rows = rows;
        this.floats = new PlainProduct(new F32Rows(), leafEnds);
    }

    @Override
    public int count() {
        return floats.count();
    }

    @Override
    public long rowBytes() {
        return source.rowBytes();
    }

    @Override
    public int rowsTogether() {
        return source.rowsTogether();
    }

    /** Panel rows, and behind them a row as it is held, and what the source needs. */
    @Override
    public long panelBytes() {
        return roomAt() + source.bytes();
    }

    private long roomAt() {
        return heldAt() + 4L * rows.held();
    }

    @Override
    public int panelFloats() {
        return source.floats();
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

    private void decode(MemorySegment w, long row, MemorySegment out, long to, Scratch scratch) {
        source.decode(w, row, out, to, scratch.panel(), roomAt(), scratch.floats());
    }
}
