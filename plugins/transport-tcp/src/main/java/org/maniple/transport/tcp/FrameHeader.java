package org.maniple.transport.tcp;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * The head of a frame on a data link. The payload follows, then its {@linkplain Seal seal}: it can then be computed while the payload
 * moves.
 *
 * <pre>
 *  0 magic number, 4 type, 8 tag, 16 bytes of payload, 24 number of the frame, 32 checksum of these
 * </pre>
 */
final class FrameHeader {

    static final int BYTES = 36;
    /** The largest payload. */
    static final long MAX_PAYLOAD = 1 << 30;

    private static final int MAGIC = 0x4d4e4441;
    private static final int TYPE_DATA = 1;
    private static final int CHECKED = 32;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private FrameHeader() {}

    static void write(MemorySegment at, ByteBuffer view, CRC32C crc, long tag, long bytes, long sequence) {
        at.set(INT, 0, MAGIC);
        at.set(INT, 4, TYPE_DATA);
        at.set(LONG, 8, tag);
        at.set(LONG, 16, bytes);
        at.set(LONG, 24, sequence);
        at.set(INT, CHECKED, checksum(view, 0, crc));
    }

    private static int checksum(ByteBuffer view, int at, CRC32C crc) {
        crc.reset();
        crc.update(view.limit(at + CHECKED).position(at));
        return (int) crc.getValue();
    }

    /** Whether this may be a header at all, and is as it was sent. */
    static boolean intact(MemorySegment memory, ByteBuffer view, int at, CRC32C crc) {
        return memory.get(INT, at) == MAGIC && memory.get(INT, at + 4L) == TYPE_DATA
                && memory.get(INT, at + CHECKED) == checksum(view, at, crc);
    }

    static long tag(MemorySegment memory, long at) {
        return memory.get(LONG, at + 8);
    }

    static long bytes(MemorySegment memory, long at) {
        return memory.get(LONG, at + 16);
    }

    static long sequence(MemorySegment memory, long at) {
        return memory.get(LONG, at + 24);
    }
}
