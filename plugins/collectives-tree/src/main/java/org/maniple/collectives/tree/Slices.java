package org.maniple.collectives.tree;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Remembers slices of segments, so that steps that use the same memory again do not allocate. */
final class Slices {

    private static final int SLOTS = 1 << 10;
    /** Where a slice may be: its home and the slots behind it. */
    private static final int PLACES = 4;

    private final @Nullable MemorySegment[] slices = new MemorySegment[SLOTS];
    private int turn;

    MemorySegment of(MemorySegment whole, long offset, long bytes) {
        if (offset == 0 && bytes == whole.byteSize()) {
            return whole;
        }
        long address = whole.address() + offset;
        int home = (int) ((address * 31 + bytes) * 0x9E3779B97F4A7C15L >>> 64 - 10);
        for (int i = 0; i < PLACES; i++) {
            MemorySegment known = slices[home + i & SLOTS - 1];
            // Also the same scope: other memory may since have taken the place of what was freed.
            if (known != null && known.scope().equals(whole.scope()) && known.address() == address && known.byteSize() == bytes) {
                return known;
            }
        }
        MemorySegment slice = whole.asSlice(offset, bytes);
        slices[place(home)] = slice;
        return slice;
    }

    /** A free place near a slice's home, or else the next one in turn: two slices with one home must not drive each other out. */
    private int place(int home) {
        for (int i = 0; i < PLACES; i++) {
            if (slices[home + i & SLOTS - 1] == null) {
                return home + i & SLOTS - 1;
            }
        }
        turn = (turn + 1) % PLACES;
        return home + turn & SLOTS - 1;
    }
}
