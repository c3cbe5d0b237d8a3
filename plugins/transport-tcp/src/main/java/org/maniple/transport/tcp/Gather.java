package org.maniple.transport.tcp;

import java.lang.foreign.MemorySegment;

/** Pieces of memory to be written one after the other by one system call. Used again for every write. */
final class Gather {

    static final int MAX = 3;

    private final MemorySegment[] segments = {MemorySegment.NULL, MemorySegment.NULL, MemorySegment.NULL};
    private final long[] offsets = new long[MAX];
    private final long[] lengths = new long[MAX];
    private int count;
    private long bytes;

    void clear() {
        count = 0;
        bytes = 0;
    }

    void add(MemorySegment segment, long offset, long length) {
        if (length > 0) {
            segments[count] = segment;
            offsets[count] = offset;
            lengths[count] = length;
            bytes += length;
            count++;
        }
    }

    int count() {
        return count;
    }

    long bytes() {
        return bytes;
    }

    long address(int index) {
        return segments[index].address() + offsets[index];
    }

    long length(int index) {
        return lengths[index];
    }

    MemorySegment slice(int index) {
        return segments[index].asSlice(offsets[index], lengths[index]);
    }
}
