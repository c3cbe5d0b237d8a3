package org.maniple.transport.tcp;

import io.netty.buffer.ByteBuf;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.ControlLink;

/**
 * The frames of a control link: magic number, length, sequence number, checksum of the message, checksum of these; then the message. If the link is
 * to have integrity, a code of all this follows.
 */
final class ControlFrames {

    static final int HEADER = 24;

    private static final int MAGIC = 0x4d4e4354;
    private static final int HEADER_CHECKED = HEADER - Integer.BYTES;

    private final @Nullable Code outgoing;
    private final @Nullable Code incoming;
    private long sent;
    private final byte[] header = new byte[HEADER];
    private int filled;
    /** The message, and the code behind it. */
    private byte[] body = {};
    private long expected;
    private int checksum;

    /** Without codes. */
    ControlFrames() {
        this(new Protection.Plain());
    }

    ControlFrames(Protection protection) {
        if (protection instanceof Protection.Keyed(byte[] sending, byte[] receiving)) {
            this.outgoing = new Code(sending);
            this.incoming = new Code(receiving);
        } else {
            this.outgoing = null;
            this.incoming = null;
        }
    }

    /** How long a message becomes. */
    int bytes(byte[] message) {
        return HEADER + message.length + (outgoing == null ? 0 : Code.BYTES);
    }

    /** Frames the next message. May be called beside {@link #read}, but by one thread at a time. */
    void write(ByteBuf out, byte[] message) {
        int start = out.writerIndex();
        out.writeInt(MAGIC).writeInt(message.length).writeLong(sent).writeInt(crc(message, message.length));
        byte[] checked = new byte[HEADER];
        out.getBytes(start, checked, 0, HEADER_CHECKED);
        out.writeInt(crc(checked, HEADER_CHECKED)).writeBytes(message);
        sent++;
        Code code = outgoing;
        if (code != null) {
            out.getBytes(start, checked);
            out.writeBytes(code(code, checked, message, message.length), 0, Code.BYTES);
        }
    }

    private static byte[] code(Code code, byte[] header, byte[] body, int length) {
        code.begin();
        code.update(header, HEADER);
        code.update(body, length);
        return code.end();
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
                int count = Math.min(in.readableBytes(), body.length - at);
                in.readBytes(body, at, count);
                filled += count;
            }
            if (filled == HEADER + body.length && filled >= HEADER) {
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
        body = new byte[length + (incoming == null ? 0 : Code.BYTES)];
    }

    private void end(Consumer<byte[]> messages) {
        Code code = incoming;
        int length = body.length - (code == null ? 0 : Code.BYTES);
        if (crc(body, length) != checksum) {
            throw new IllegalArgumentException(
                    "sent control frame " + expected + " with a wrong checksum: it was corrupted on the way");
        }
        if (code != null && !MessageDigest.isEqual(Arrays.copyOf(code(code, header, body, length), Code.BYTES),
                Arrays.copyOfRange(body, length, body.length))) {
            throw new IllegalArgumentException("sent control frame " + expected + " " + code.broken());
        }
        expected++;
        filled = 0;
        byte[] whole = code == null ? body : Arrays.copyOf(body, length);
        body = new byte[0];
        messages.accept(whole);
    }
}
