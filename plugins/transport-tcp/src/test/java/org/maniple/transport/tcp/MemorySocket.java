package org.maniple.transport.tcp;

import io.netty.channel.IoHandler;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;

/** A socket in memory, whose other end is the test. Moves a few bytes at a time. */
final class MemorySocket implements DataSocket {

    private final SplittableRandom random;
    private byte[] written = {};
    private byte[] coming = {};
    private int at;
    private boolean open = true;

    MemorySocket(SplittableRandom random) {
        this.random = random;
    }

    /** What has been written since somebody asked last. */
    byte[] taken() {
        byte[] bytes = written;
        written = new byte[0];
        return bytes;
    }

    /** What comes next. */
    void give(byte[] bytes) {
        coming = bytes;
        at = 0;
    }

    /** Nothing comes after that. */
    void end() {
        open = false;
    }

    private int some(int most) {
        return most == 0 ? 0 : random.nextInt(most + 1);
    }

    @Override
    public int read(MemorySegment into, long offset, int length) {
        if (at == coming.length) {
            return open ? 0 : -1;
        }
        int count = Math.min(some(length), coming.length - at);
        MemorySegment.copy(coming, at, into, ValueLayout.JAVA_BYTE, offset, count);
        at += count;
        return count;
    }

    @Override
    public long write(Gather from) {
        long left = some((int) from.bytes());
        long all = left;
        for (int i = 0; i < from.count() && left > 0; i++) {
            byte[] bytes = from.slice(i).asSlice(0, Math.min(left, from.length(i))).toArray(ValueLayout.JAVA_BYTE);
            int end = written.length;
            written = Arrays.copyOf(written, end + bytes.length);
            System.arraycopy(bytes, 0, written, end, bytes.length);
            left -= bytes.length;
        }
        return all;
    }

    @Override
    public void register(IoHandler poller) {}

    @Override
    public void interest(boolean reading, boolean writing) {}

    @Override
    public String interfaceName() {
        return "memory";
    }

    @Override
    public String options() {
        return "none";
    }

    @Override
    public void close() {
        open = false;
    }
}
