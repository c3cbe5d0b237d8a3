package org.maniple.transport.rdma;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Remembers the buffers that checksums need as views of segments, so that frames from the same memory do not allocate. */
final class Views {

    private static final int SLOTS_LOG2 = 9;

    private final @Nullable MemorySegment[] segments = new MemorySegment[1 << SLOTS_LOG2];
    private final @Nullable ByteBuffer[] buffers = new ByteBuffer[1 << SLOTS_LOG2];

    void update(CRC32C crc, MemorySegment segment, long offset, long bytes) {
        if (bytes > 0) {
            crc.update(of(segment).limit((int) (offset + bytes)).position((int) offset));
        }
    }

    private ByteBuffer of(MemorySegment segment) {
        int slot = (int) ((segment.address() * 31 + segment.byteSize()) * 0x9E3779B97F4A7C15L >>> Long.SIZE - SLOTS_LOG2);
        ByteBuffer known = buffers[slot];
        MemorySegment viewed = segments[slot];
        // Also the same scope: other memory may since have taken the place of what was freed.
        if (known != null && viewed != null && viewed.address() == segment.address() && viewed.byteSize() == segment.byteSize()
                && viewed.scope().equals(segment.scope())) {
            return known;
        }
        ByteBuffer view = segment.asByteBuffer();
        segments[slot] = segment;
        buffers[slot] = view;
        return view;
    }
}
