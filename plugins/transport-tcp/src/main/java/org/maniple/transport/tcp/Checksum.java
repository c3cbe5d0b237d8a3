package org.maniple.transport.tcp;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/** CRC32C of the payload; the header has its own. */
final class Checksum implements Seal {

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Views views;
    private final CRC32C crc = new CRC32C();

    Checksum(Views views) {
        this.views = views;
    }

    @Override
    public int bytes() {
        return Integer.BYTES;
    }

    @Override
    public void begin(MemorySegment memory, long header) {
        crc.reset();
    }

    @Override
    public void update(MemorySegment payload, long offset, long bytes) {
        views.update(crc, payload, offset, bytes);
    }

    @Override
    public void write(MemorySegment to, long offset) {
        to.set(INT, offset, (int) crc.getValue());
    }

    @Override
    public boolean matches(MemorySegment memory, long offset) {
        return memory.get(INT, offset) == (int) crc.getValue();
    }

    @Override
    public String broken() {
        return "with a wrong checksum: it was corrupted on the way";
    }
}
