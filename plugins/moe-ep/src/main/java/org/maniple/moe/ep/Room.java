package org.maniple.moe.ep;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.LongFunction;

/** Memory for each rank of a group. It grows until the largest message has been seen, at least to twice as much each time. */
final class Room {

    private static final long SMALLEST = 256;

    final MemorySegment[] memory;
    private final LongFunction<MemorySegment> source;

    Room(int ranks, LongFunction<MemorySegment> source) {
        this.source = source;
        memory = new MemorySegment[ranks];
        Arrays.fill(memory, MemorySegment.NULL);
    }

    /** Memory for a rank; what was in it is lost if it grows. */
    MemorySegment atLeast(int position, long bytes) {
        if (memory[position].byteSize() < bytes) {
            memory[position] = source.apply(Math.max(SMALLEST, Long.highestOneBit(bytes - 1) << 1));
        }
        return memory[position];
    }
}
