package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.maniple.api.tensor.BlockRows;

/** Products of {@link PackedActivations} with {@link PackedRows}, in C. */
final class PackedProduct implements Product {

    /** Kernels go through the groups of a chunk one by one. */
    private static final int CHUNK_BYTES = 1024 * 1024;

    private final NativeKernels kernels;
    private final PackedRows layout;
    private final PackedFloats floats;
    private final PackedActivations input;
    private final int columns;
    private final int blocks;
    private final MemorySegment ends;
    private final int leaves;

    /**
     * Products.
     *
     * @param rows how rows are held
     * @param leafEnds where leaves end, in elements of a row that are its own
     */
    PackedProduct(NativeKernels kernels, PackedRows layout, BlockRows rows, int[] leafEnds) {
        this.kernels = kernels;
        this.layout = layout;
        this.floats = new PackedFloats(kernels, layout, rows, leafEnds);
        this.input = new PackedActivations(kernels, rows);
        this.columns = rows.columns();
        this.blocks = rows.held() / BlockUnpacker.ACTIVATIONS;
        int[] blockEnds = BlockLeaves.ends(rows, leafEnds);
        this.leaves = blockEnds.length;
        this.ends = Arena.ofAuto().allocateFrom(JAVA_INT, blockEnds);
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
        return floats.rowBytes();
    }

    @Override
    public int chunkBytes() {
        return CHUNK_BYTES;
    }

    @Override
    public int rowsTogether() {
        return PackedRows.GROUP;
    }

    @Override
    public long panelBytes() {
        return floats.panelBytes();
    }

    @Override
    public void compute(MemorySegment w, long firstRow, MemorySegment factors, int columns, MemorySegment x, long xAt,
            long xStride, int xRow, int rows, MemorySegment out, long outAt, long outStride, Scratch scratch) {
        if (firstRow % PackedRows.GROUP != 0) {
            throw new IllegalArgumentException(
                    "row " + firstRow + " of packed weights does not begin a group of " + PackedRows.GROUP);
        }
        long packed = Native.address(w, 0, layout.bytes(Math.toIntExact(firstRow + columns)), "packed weights");
        long from = Native.address(x, xAt + xRow * xStride, rows * xStride, "activations");
        long to = Native.address(out, outAt, (rows - 1) * outStride + 4L * columns, "results");
        kernels.multiply(layout.type(), packed, firstRow, columns, blocks, from, xStride, rows, to, outStride / 4, ends.address(),
                leaves);
    }

    @Override
    public void widen(MemorySegment w, long row, MemorySegment factors, MemorySegment out, long to, Scratch scratch) {
        floats.widen(w, row, factors, out, to, scratch);
    }
}
