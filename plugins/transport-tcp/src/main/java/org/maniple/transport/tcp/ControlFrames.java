package org.maniple.transport.tcp;

import io.netty.buffer.ByteBuf;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.maniple.api.transport.ControlLink;

/**
 * The frames of a control link: magic number, length, sequence number, checksum of the message, checksum of these; then the message.
 */
final class ControlFrames {

    static final int HEADER = 24;

    private static final int MAGIC = 0x4d4e4354;
    private static final int HEADER_CHECKED = HEADER - Integer.BYTES;

    private final byte[] header = new byte[HEADER];
    private int filled;
    private byte[] message = {};
    private long expected;
    private int checksum;

    static void write(ByteBuf out, byte[] message, long sequence) {
        int start = out.writerIndex();
        out.writeInt(MAGIC).writeInt(message.length).writeLong(sequence).writeInt(crc(message, message.length));
        byte[] checked = new byte[HEADER_CHECKED];
        out.getBytes(start, checked);
        out.writeInt(crc(checked, HEADER_CHECKED)).writeBytes(message);
    }

    private static int crc(byte[] bytes, int count) {
        var crc = new CRC32C();
        crc.update(bytes, 0, count);
        return (int) crc.getValue();
    }

    /**
     * Reads what has come.
     *
     * @param in bytes, from which all are taken
     * @param messages takes whole messages
     * @throws IllegalArgumentException if the bytes are no such frames; says why
     */
    void read(ByteBuf in, Consumer<byte[]> messages) {
        while (in.isReadable()) {
            if (filled < HEADER) {
                int count = Math.min(in.readableBytes(), HEADER - filled);
                in.readBytes(header, filled, count);
                filled += count;
                if (filled == HEADER) {
                    begin();
                }
            } else {
                int at = filled - HEADER;
                int count = Math.min(in.readableBytes(), message.length - at);
                in.readBytes(message, at, count);
                filled += count;
            }
            if (filled == HEADER + message.length && filled >= HEADER) {
                end(messages);
            }
        }
    }

    private void begin() {
        var in = java.nio.ByteBuffer.wrap(header);
        int magic = in.getInt();
        int length = in.getInt();
        long sequence = in.getLong();
        checksum = in.getInt();
        if (magic != MAGIC || in.getInt() != crc(header, HEADER_CHECKED)) {
            throw new IllegalArgumentException("sent bytes that are no control frame, or a corrupted one");
        }
        if (length < 0 || length > ControlLink.MAX_MESSAGE) {
            throw new IllegalArgumentException(
                    "announced a control message of " + length + " bytes; at most " + ControlLink.MAX_MESSAGE
                            + " are allowed");
        }
        if (sequence != expected) {
            throw new IllegalArgumentException("sent control frame " + sequence + " where " + expected + " was expected");
        }
        message = new byte[length];
    }

    private void end(Consumer<byte[]> messages) {
        if (crc(message, message.length) != checksum) {
            throw new IllegalArgumentException(
                    "sent control frame " + expected + " with a wrong checksum: it was corrupted on the way");
        }
        expected++;
        filled = 0;
        byte[] whole = message;
        message = new byte[0];
        messages.accept(whole);
    }
}
