package org.maniple.transport.rdma;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.maniple.api.transport.TransportException;

/**
 * Memory for frames, registered with the devices that are used: they can then read and write it where it is. Small pieces share a region, for there
 * can be only so many of these. It stays valid when it is not registered any more.
 */
final class Memory {

    private static final long ALIGNMENT = 64;
    private static final long REGION = 1 << 20;

    private final Worker worker;
    private final Arena parameters;
    /** Valid while somebody can reach it: whoever still holds a segment after the wire is closed must not crash the process. */
    private final Arena arena = Arena.ofAuto();
    private MemorySegment region = MemorySegment.NULL;
    private long used;
    private long[] from = new long[8];
    private long[] to = new long[8];
    private long[] handles = new long[8];
    private MemorySegment[] described = new MemorySegment[8];
    private int regions;
    private boolean open = true;

    Memory(Worker worker, Arena parameters) {
        this.worker = worker;
        this.parameters = parameters;
    }

    MemorySegment allocate(long bytes) {
        if (bytes >= REGION / 4) {
            return register(arena.allocate(bytes, ALIGNMENT));
        }
        if (region.byteSize() - used < bytes) {
            region = register(arena.allocate(REGION, ALIGNMENT));
            used = 0;
        }
        MemorySegment piece = region.asSlice(used, bytes);
        used += Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
        return piece;
    }

    private MemorySegment register(MemorySegment memory) {
        if (!open) {
            return memory;
        }
        long handle;
        try {
            handle = worker.register(memory);
        } catch (UcxException e) {
            throw new TransportException("memory for frames cannot be given to the network device: " + e.getMessage()
                    + "; raise the limit of locked memory (ulimit -l unlimited, LimitMEMLOCK=infinity, or docker run --ulimit memlock=-1)",
                    e);
        }
        if (regions == from.length) {
            from = Arrays.copyOf(from, 2 * regions);
            to = Arrays.copyOf(to, 2 * regions);
            handles = Arrays.copyOf(handles, 2 * regions);
            described = Arrays.copyOf(described, 2 * regions);
        }
        from[regions] = memory.address();
        to[regions] = memory.address() + memory.byteSize();
        handles[regions] = handle;
        described[regions] = Structs.request(parameters, handle);
        regions++;
        return memory;
    }

    /** What tells UCX how some memory is registered, if it is. */
    MemorySegment describe(long address, long bytes) {
        for (int i = 0; i < regions; i++) {
            if (address >= from[i] && address + bytes <= to[i]) {
                return described[i];
            }
        }
        return worker.plain();
    }

    /** Before the worker is closed. */
    void close() {
        open = false;
        for (int i = 0; i < regions; i++) {
            worker.unregister(handles[i]);
        }
        regions = 0;
    }
}
