package org.maniple.transport.rdma;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * The first message of a frame, in memory of its own: a head, and a small payload behind it. A large payload follows in messages of its own; if
 * there are several, its checksum follows them.
 *
 * <pre>
 *  0 magic number, 4 checksum of what follows or 0, 8 tag, 16 bytes of payload, 24 number of the frame,
 * 32 checksum of a payload that follows in one message, or 0, 36 nothing, 40 payload
 * </pre>
 */
final class Envelope {

    static final int HEAD = 40;
    /** Up to this size a payload goes with the head: copying costs less than another message. */
    static final int SMALL = 16 << 10;
    static final int BYTES = HEAD + SMALL;
    /** A checksum alone. */
    static final int SEAL = Integer.BYTES;

    private static final int MAGIC = 0x4d4e5244;
    private static final int CHECKED = 8;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment memory;
    private final ByteBuffer view;
    private final long address;

    Envelope(MemorySegment memory) {
        this.memory = memory;
        this.view = memory.asByteBuffer();
        this.address = memory.address();
    }

    long address() {
        return address;
    }

    /**
     * Fills it.
     *
     * @param following the checksum of a payload that follows in one message
     * @return how much of it is to be sent
     */
    int write(long tag, MemorySegment payload, long number, int following, boolean checked, CRC32C crc) {
        long bytes = payload.byteSize();
        int inside = bytes <= SMALL ? (int) bytes : 0;
        memory.set(INT, 0, MAGIC);
        memory.set(LONG, 8, tag);
        memory.set(LONG, 16, bytes);
        memory.set(LONG, 24, number);
        memory.set(INT, 32, following);
        MemorySegment.copy(payload, 0, memory, HEAD, inside);
        memory.set(INT, 4, checked ? checksum(inside, crc) : 0);
        return HEAD + inside;
    }

    private int checksum(int inside, CRC32C crc) {
        crc.reset();
        crc.update(view.limit(HEAD + inside).position(CHECKED));
        return (int) crc.getValue();
    }

    /** Whether this is the frame of this number, as it was sent. */
    boolean intact(long number, boolean checked, CRC32C crc) {
        return memory.get(INT, 0) == MAGIC && memory.get(LONG, 24) == number && bytes() >= 0
                && (!checked || memory.get(INT, 4) == checksum(bytes() <= SMALL ? (int) bytes() : 0, crc));
    }

    long tag() {
        return memory.get(LONG, 8);
    }

    long bytes() {
        return memory.get(LONG, 16);
    }

    void read(MemorySegment into) {
        MemorySegment.copy(memory, HEAD, into, 0, bytes());
    }

    /** Whether this is the checksum of the payload that has followed. */
    boolean announced(CRC32C crc) {
        return memory.get(INT, 32) == (int) crc.getValue();
    }

    void seal(CRC32C crc) {
        memory.set(INT, 0, (int) crc.getValue());
    }

    boolean seals(CRC32C crc) {
        return memory.get(INT, 0) == (int) crc.getValue();
    }
}
