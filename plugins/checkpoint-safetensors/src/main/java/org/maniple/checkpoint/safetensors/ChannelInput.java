package org.maniple.checkpoint.safetensors;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** A range of a file as a stream. Does not use the channel's position, so that several threads may read; closing it leaves the channel open. */
final class ChannelInput extends InputStream {

    private final FileChannel channel;
    private final long to;
    private long position;

    ChannelInput(FileChannel channel, long from, long to) {
        this.channel = channel;
        this.position = from;
        this.to = to;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (position >= to) {
            return -1;
        }
        int count = channel.read(ByteBuffer.wrap(bytes, offset, (int) Math.min(length, to - position)), position);
        if (count < 0) {
            throw new IOException("the file ended at " + position + ", it was longer when it was opened");
        }
        position += count;
        return count;
    }
}
