package org.maniple.kernel.execute;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The first rows of a segment, made once for each number of rows, so that steps do not allocate. */
final class RowSlices {

    private final MemorySegment segment;
    private final long rowBytes;
    private final @Nullable MemorySegment[] slices;

    RowSlices(MemorySegment segment, long rowBytes, int capacity) {
        this.segment = segment;
        this.rowBytes = rowBytes;
        this.slices = new MemorySegment[capacity + 1];
    }

    MemorySegment first(int rows) {
        MemorySegment slice = slices[rows];
        if (slice == null) {
            slice = segment.asSlice(0, rows * rowBytes);
            slices[rows] = slice;
        }
        return slice;
    }
}
