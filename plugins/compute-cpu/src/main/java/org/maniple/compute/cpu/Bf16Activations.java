package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Activations rounded to BF16, row by row, filled up with zeros to a multiple of 32 elements.
 *
 * @param columns elements of a row
 */
record Bf16Activations(NativeBf16 kernels, int columns) implements Preparation {

    /** An odd number of cache lines: rows would otherwise fall into the same few sets of the cache. */
    @Override
    public long rowBytes() {
        return Math.ceilDiv(columns, 32) * 64L | 64;
    }

    @Override
    public void prepare(MemorySegment x, int from, int to, int all, MemorySegment out, long at) {
        long floats = Native.address(x, 0, 4L * columns * to, "activations");
        kernels.prepare(floats, columns, from, to, Native.address(out, at, to * rowBytes(), "memory for activations"),
                rowBytes());
    }
}
