package org.maniple.transport.shm;

import java.lang.foreign.MemorySegment;

/**
 * Bytes on their way from one rank to another, in memory that both see. Frames begin at multiples of 16 bytes: tag, size, payload.
 */
abstract sealed class Ring permits OutgoingFrames, IncomingFrames {

    static final long HEADER = 16;
    /** What is copied at a time, so that the other end can begin with it. */
    static final long PIECE = 32 << 10;

    private static final long MASK = Layout.RING - 1;

    private final MemorySegment memory;
    private final long at;

    Ring(Segment receiver, int sender) {
        this.memory = receiver.memory();
        this.at = receiver.layout().ring(sender);
    }

    final long head() {
        return (long) Segment.LONG.getAcquire(memory, at + Layout.RING_HEAD);
    }

    final void head(long position) {
        Segment.LONG.setRelease(memory, at + Layout.RING_HEAD, position);
    }

    final long tail() {
        return (long) Segment.LONG.getAcquire(memory, at + Layout.RING_TAIL);
    }

    final void tail(long position) {
        Segment.LONG.setRelease(memory, at + Layout.RING_TAIL, position);
    }

    final void put(long position, long value) {
        Segment.LONG.set(memory, place(position), value);
    }

    final long get(long position) {
        return (long) Segment.LONG.get(memory, place(position));
    }

    final void write(long position, MemorySegment from, long offset, long bytes) {
        long first = Math.min(bytes, Layout.RING - (position & MASK));
        MemorySegment.copy(from, offset, memory, place(position), first);
        MemorySegment.copy(from, offset + first, memory, place(position + first), bytes - first);
    }

    final void read(long position, MemorySegment into, long offset, long bytes) {
        long first = Math.min(bytes, Layout.RING - (position & MASK));
        MemorySegment.copy(memory, place(position), into, offset, first);
        MemorySegment.copy(memory, place(position + first), into, offset + first, bytes - first);
    }

    /** The beginning of the next frame. */
    static long aligned(long position) {
        return position + HEADER - 1 & -HEADER;
    }

    private long place(long position) {
        return at + Layout.RING_DATA + (position & MASK);
    }
}
