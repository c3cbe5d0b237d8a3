package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.WeightLayout;

/**
 * Rows of a block type in groups of {@value #GROUP}, as {@code blocks.h} describes it.
 *
 * @param units blocks of a row
 */
record PackedRows(NativeKernels kernels, DType type, int units) implements WeightLayout {

    /** Rows of a group. */
    static final int GROUP = 16;
    private static final int VERSION = 1;

    @Override
    public String name() {
        return type.name().toLowerCase(Locale.ROOT) + "-16rows-" + VERSION;
    }

    @Override
    public int rowsTogether() {
        return GROUP;
    }

    @Override
    public long bytes(int rows) {
        return Math.ceilDiv(rows, GROUP) * kernels.groupBytes(type, units);
    }

    @Override
    public void pack(MemorySegment source, int rows, MemorySegment target) {
        long from = (long) rows * units * type.blockBytes();
        Native.check(source, 0, from, "rows to pack");
        Native.check(target, 0, bytes(rows), "memory for packed rows");
        if (source.isNative()) {
            kernels.pack(type, source.address(), rows, units, target.address());
            return;
        }
        try (var arena = Arena.ofConfined()) {
            kernels.pack(type, arena.allocate(from, 64).copyFrom(source.asSlice(0, from)).address(), rows, units,
                    target.address());
        }
    }
}
