package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;

/** Products of floats with {@link PackedBf16Rows}: a group of rows of weights is made floats, and multiplied as such. */
final class PackedBf16Floats implements Product {

    private final NativeBf16 kernels;
    private final PackedBf16Rows layout;
    private final PlainProduct floats;

    /**
     * Products.
     *
     * @param leafEnds where leaves end, in elements of a row
     */
    PackedBf16Floats(NativeBf16 kernels, int[] leafEnds) {
        this.kernels = kernels;
        this.floats = new PlainProduct(new F32Rows(), leafEnds);
        this.layout = new PackedBf16Rows(kernels, floats.count());
    }

    @Override
    public int count() {
        return floats.count();
    }

    @Override
    public long rowBytes() {
        return 2L * count();
    }

    @Override
    public int rowsTogether() {
        return PackedRows.GROUP;
    }

    @Override
    public long panelBytes() {
        return 4L * PackedRows.GROUP * count();
    }

    @Override
    public void compute(MemorySegment w, long firstRow, MemorySegment factors, int columns, MemorySegment x, long xAt,
            long xStride, int xRow, int rows, MemorySegment out, long outAt, long outStride, Scratch scratch) {
        for (int n = 0; n < columns; n += PackedRows.GROUP) {
            int taken = Math.min(PackedRows.GROUP, columns - n);
            for (int i = 0; i < taken; i++) {
                widen(w, firstRow + n + i, factors, scratch.panel(), 4L * i * count(), scratch);
            }
            floats.compute(scratch.panel(), 0, 4L * count(), taken, x, xAt + xRow * xStride, xStride, rows, out, outAt + 4L * n,
                    outStride, scratch.lanes());
        }
    }

    @Override
    public void widen(MemorySegment w, long row, MemorySegment factors, MemorySegment out, long to, Scratch scratch) {
        long groups = Native.address(w, 0, layout.bytes(Math.toIntExact(row + 1)), "packed weights");
        kernels.floats(groups, row, count(), Native.address(out, to, 4L * count(), "elements"));
    }
}
