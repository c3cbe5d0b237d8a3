package org.maniple.transport.tcp;

import io.netty.channel.IoHandler;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;

/** A socket in memory, from which what was written comes again. Moves a few bytes at a time. */
final class MemorySocket implements DataSocket {

    private final SplittableRandom random;
    private byte[] stream = {};
    private int at;
    private boolean open = true;

    MemorySocket(SplittableRandom random) {
        this.random = random;
    }

    /** What has been written and not been read. */
    byte[] taken() {
        byte[] bytes = Arrays.copyOfRange(stream, at, stream.length);
        stream = new byte[0];
        at = 0;
        return bytes;
    }

    /** What comes next. */
    void give(byte[] bytes) {
        stream = bytes;
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
        if (at == stream.length) {
            return open ? 0 : -1;
        }
        int count = Math.min(some(length), stream.length - at);
        MemorySegment.copy(stream, at, into, ValueLayout.JAVA_BYTE, offset, count);
        at += count;
        return count;
    }

    @Override
    public long write(Gather from) {
        long left = some((int) from.bytes());
        long all = left;
        for (int i = 0; i < from.count() && left > 0; i++) {
            byte[] bytes = from.slice(i).asSlice(0, Math.min(left, from.length(i))).toArray(ValueLayout.JAVA_BYTE);
            int end = stream.length;
            stream = Arrays.copyOf(stream, end + bytes.length);
            System.arraycopy(bytes, 0, stream, end, bytes.length);
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
