package org.maniple.kernel.balance;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongFunction;

/**
 * Memory of slots whose weights cannot be used where they are mapped. What a commit takes out of use is used for the next one, so that memory does
 * not grow with the number of rounds. Safe for use by several threads.
 */
final class SlotMemory {

    private final LongFunction<MemorySegment> source;
    private final Map<Long, Queue<MemorySegment>> spare = new ConcurrentHashMap<>();

    SlotMemory(LongFunction<MemorySegment> source) {
        this.source = source;
    }

    /** Memory with any contents. */
    MemorySegment take(long bytes) {
        Queue<MemorySegment> known = spare.get(bytes);
        MemorySegment segment = known == null ? null : known.poll();
        return segment == null ? source.apply(bytes) : segment;
    }

    /** Gives back what a slot had, which nobody uses any more; mappings of files are left alone. */
    void give(MemorySegment segment) {
        if (!segment.isMapped() && segment.byteSize() > 0) {
            spare.computeIfAbsent(segment.byteSize(), size -> new ConcurrentLinkedQueue<>()).add(segment);
        }
    }
}
