package org.maniple.collectives.tree;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.maniple.api.transport.Wire;

/** Memory to receive into, one buffer per position in a group. Grows until the largest exchange has been seen. */
final class Buffers {

    private static final long SMALLEST = 64 << 10;

    private final Wire wire;
    private final Slices slices;
    private MemorySegment[] memory = {};

    Buffers(Wire wire, Slices slices) {
        this.wire = wire;
        this.slices = slices;
    }

    MemorySegment of(int position, long bytes) {
        if (position >= memory.length) {
            int known = memory.length;
            memory = Arrays.copyOf(memory, position + 1);
            Arrays.fill(memory, known, memory.length, MemorySegment.NULL);
        }
        if (memory[position].byteSize() < bytes) {
            // At least twice as much as before: the wire keeps the old memory until it is closed.
            memory[position] = wire.allocate(Math.max(SMALLEST, Long.highestOneBit(bytes - 1) << 1));
        }
        return slices.of(memory[position], 0, bytes);
    }
}
