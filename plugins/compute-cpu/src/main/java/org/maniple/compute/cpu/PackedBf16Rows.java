package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.maniple.api.tensor.WeightLayout;

/**
 * BF16 rows in groups of 16, as {@code pack16.c} describes it.
 *
 * @param columns elements of a row
 */
record PackedBf16Rows(NativeBf16 kernels, int columns) implements WeightLayout {

    private static final int BLOCK = 32;

    @Override
    public String name() {
        return "bf16-16rows-1";
    }

    @Override
    public int rowsTogether() {
        return PackedRows.GROUP;
    }

    @Override
    public long bytes(int rows) {
        return 2L * Math.ceilDiv(rows, PackedRows.GROUP) * PackedRows.GROUP * Math.ceilDiv(columns, BLOCK) * BLOCK;
    }

    @Override
    public void pack(MemorySegment source, int rows, MemorySegment target) {
        long from = 2L * rows * columns;
        Native.check(source, 0, from, "rows to pack");
        long to = Native.address(target, 0, bytes(rows), "memory for packed rows");
        if (source.isNative()) {
            kernels.pack(source.address(), rows, columns, to);
            return;
        }
        try (var arena = Arena.ofConfined()) {
            kernels.pack(arena.allocate(from, 64).copyFrom(source.asSlice(0, from)).address(), rows, columns, to);
        }
    }
}
