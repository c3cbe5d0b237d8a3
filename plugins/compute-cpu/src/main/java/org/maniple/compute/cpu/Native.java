package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;

/** Checks what is given to C, which reads and writes by address and would end the process, or worse. */
final class Native {

    private Native() {}

    /**
     * Checks that memory is there.
     *
     * @param at the first byte that is used
     * @param bytes how many
     * @throws IndexOutOfBoundsException if the segment does not have them
     */
    static void check(MemorySegment memory, long at, long bytes, String what) {
        if (at < 0 || bytes < 0 || at + bytes > memory.byteSize()) {
            throw new IndexOutOfBoundsException(what + ": bytes " + at + " to " + (at + bytes) + " of " + memory.byteSize());
        }
    }

    /**
     * The address of memory that is there.
     *
     * @throws IllegalArgumentException if it is on the heap
     */
    static long address(MemorySegment memory, long at, long bytes, String what) {
        check(memory, at, bytes, what);
        if (!memory.isNative()) {
            throw new IllegalArgumentException(what + ": native kernels cannot read memory of the Java heap");
        }
        return memory.address() + at;
    }
}
