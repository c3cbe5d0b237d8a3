package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Products of {@link Bf16Activations} with BF16 weights, in C. Weights that are not held as {@link PackedBf16Rows} are packed group by group for each
 * product, which gives the same bits and takes longer.
 */
final class Bf16Product implements Product {

    /** Kernels go through the groups of a chunk two by two. */
    private static final int CHUNK_BYTES = 1024 * 1024;

    private final NativeBf16 kernels;
    private final PackedBf16Rows layout;
    private final boolean packed;
    private final Bf16Activations input;

    /**
     * Products.
     *
     * @param packed whether weights are held packed
     * @param columns elements of a row
     */
    Bf16Product(NativeBf16 kernels, boolean packed, int columns) {
        this.kernels = kernels;
        this.layout = new PackedBf16Rows(kernels, columns);
        this.packed = packed;
        this.input = new Bf16Activations(kernels, columns);
    }

    @Override
    public Optional<Preparation> preparation() {
        return Optional.of(input);
    }

    @Override
    public int count() {
        return layout.columns();
    }

    @Override
    public int chunkBytes() {
        return CHUNK_BYTES;
    }

    @Override
    public long rowBytes() {
        return 2L * layout.columns();
    }

    @Override
    public int rowsTogether() {
        return PackedRows.GROUP;
    }

    /** A group of rows. */
    @Override
    public long panelBytes() {
        return packed ? 0 : layout.bytes(PackedRows.GROUP);
    }

    @Override
    public void compute(MemorySegment w, long firstRow, MemorySegment factors, int columns, MemorySegment x, long xAt,
            long xStride, int xRow, int rows, MemorySegment out, long outAt, long outStride, Scratch scratch) {
        long from = Native.address(x, xAt + xRow * xStride, rows * xStride, "activations");
        long to = Native.address(out, outAt, (rows - 1) * outStride + 4L * columns, "results");
        if (packed) {
            if (firstRow % PackedRows.GROUP != 0) {
                throw new IllegalArgumentException(
                        "row " + firstRow + " of packed weights does not begin a group of " + PackedRows.GROUP);
            }
            long groups = Native.address(w, 0, layout.bytes(Math.toIntExact(firstRow + columns)), "packed weights");
            kernels.multiply(groups, firstRow, columns, layout.columns(), from, xStride, rows, to, outStride / 4);
            return;
        }
        long stored = Native.address(w, firstRow * rowBytes(), columns * rowBytes(), "weights");
        long group = Native.address(scratch.panel(), 0, panelBytes(), "memory for a group of rows");
        for (int n = 0; n < columns; n += PackedRows.GROUP) {
            int taken = Math.min(PackedRows.GROUP, columns - n);
            kernels.pack(stored + n * rowBytes(), taken, layout.columns(), group);
            kernels.multiply(group, 0, taken, layout.columns(), from, xStride, rows, to + 4L * n, outStride / 4);
        }
    }

    @Override
    public void widen(MemorySegment w, long row, MemorySegment factors, MemorySegment out, long to, Scratch scratch) {
        if (!packed) {
            throw new IllegalStateException("rows as they are stored are made floats by other products");
        }
        long groups = Native.address(w, 0, layout.bytes(Math.toIntExact(row + 1)), "packed weights");
        kernels.floats(groups, row, layout.columns(), Native.address(out, to, 4L * layout.columns(), "elements"));
    }
}
