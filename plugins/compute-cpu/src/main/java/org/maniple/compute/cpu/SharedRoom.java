package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory that kernels use one after the other. As large as the one that needs most; kernels reserve when they are compiled. */
final class SharedRoom {

    private MemorySegment memory = Arena.ofAuto().allocate(64, 64);

    /** The memory; contents last for one run of a kernel. */
    MemorySegment memory() {
        return memory;
    }

    /** Makes it have room for some bytes; only while nothing is computed. */
    void reserve(long bytes) {
        if (memory.byteSize() < bytes) {
            memory = Arena.ofAuto().allocate(bytes, 64);
        }
    }
}
