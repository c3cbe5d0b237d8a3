package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.maniple.api.tensor.BlockRows;

/**
 * Activations as native kernels read them, see {@link ActivationForm#INT8}: the codes, the scales of the blocks, the sums of their codes, the
 * sums of the halves, each part at a multiple of 64 bytes.
 */
final class PackedActivations implements Preparation {

    private static final int BLOCK = BlockUnpacker.ACTIVATIONS;

    private final NativeKernels kernels;
    private final BlockRows rows;
    private final MemorySegment runs;
    private final int count;

    PackedActivations(NativeKernels kernels, BlockRows rows) {
        this.kernels = kernels;
        this.rows = rows;
        this.count = rows.whole() ? 0 : rows.runs().size();
        this.runs = Arena.ofAuto().allocate(JAVA_INT, 3L * count + 1);
        for (int i = 0; i < count; i++) {
            BlockRows.Run run = rows.runs().get(i);
            runs.setAtIndex(JAVA_INT, 3L * i, run.held());
            runs.setAtIndex(JAVA_INT, 3L * i + 1, run.from());
            runs.setAtIndex(JAVA_INT, 3L * i + 2, run.count());
        }
    }

    private static long padded(long bytes) {
        return (bytes + 63) & -64;
    }

    /** An odd number of cache lines: rows would otherwise fall into the same few sets of the cache. */
    @Override
    public long rowBytes() {
        long blocks = rows.held() / BLOCK;
        return padded(rows.held()) + 2 * padded(4 * blocks) + padded(8 * blocks) | 64;
    }

    @Override
    public void prepare(MemorySegment x, int from, int to, int all, MemorySegment out, long at) {
        long columns = rows.columns();
        long floats = Native.address(x, 0, 4 * columns * to, "activations");
        long prepared = Native.address(out, at, to * rowBytes(), "memory for activations");
        kernels.prepare(floats, columns, rows.held(), runs.address(), count, from, to, prepared, rowBytes());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PackedActivations same && same.rows.equals(rows);
    }

    @Override
    public int hashCode() {
        return rows.hashCode();
    }
}
