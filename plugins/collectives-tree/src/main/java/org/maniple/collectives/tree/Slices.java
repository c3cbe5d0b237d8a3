package org.maniple.collectives.tree;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Remembers slices of segments, so that steps that use the same memory again do not allocate. */
final class Slices {

    private static final int SLOTS = 1 << 10;

    private final @Nullable MemorySegment[] slices = new MemorySegment[SLOTS];

    MemorySegment of(MemorySegment whole, long offset, long bytes) {
        if (offset == 0 && bytes == whole.byteSize()) {
            return whole;
        }
        long address = whole.address() + offset;
        int slot = (int) ((address * 31 + bytes) * 0x9E3779B97F4A7C15L >>> 64 - 10);
        MemorySegment known = slices[slot];
        // Also the same scope: other memory may since have taken the place of what was freed.
        if (known != null && known.scope().equals(whole.scope()) && known.address() == address && known.byteSize() == bytes) {
            return known;
        }
        MemorySegment slice = whole.asSlice(offset, bytes);
        slices[slot] = slice;
        return slice;
    }
}
