package org.maniple.checkpoint.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.maniple.api.checkpoint.CheckpointException;

/**
 * Reads little-endian values from a file, forwards. Whatever a number in the file claims, nothing is allocated before as many bytes are known to be
 * left, and nothing beyond {@link #LONGEST_TEXT}. Not safe for use by several threads.
 */
final class BoundedInput {

    /** Of a text that is kept in memory: a chat template, at most. */
    static final int LONGEST_TEXT = 1 << 20;
    private static final char REPLACEMENT = '\uFFFD';
    private static final int BUFFER_BYTES = 1 << 16;

    private final Path file;
    private final FileChannel channel;
    private final long size;
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN).limit(0);
    /** Where the buffer ends in the file. */
    private long filled;
    private String where = "header";

    BoundedInput(Path file, FileChannel channel, long from) throws IOException {
        this.file = file;
        this.channel = channel;
        this.size = channel.size();
        this.filled = from;
    }

    /** What is being read, for messages. */
    void at(String what) {
        where = what;
    }

    long size() {
        return size;
    }

    /** Where the next value is. */
    long position() {
        return filled - buffer.remaining();
    }

    long remaining() {
        return size - position();
    }

    int int8() throws IOException {
        need(1);
        return buffer.get() & 0xff;
    }

    int int16() throws IOException {
        need(2);
        return buffer.getShort() & 0xffff;
    }

    int int32() throws IOException {
        need(4);
        return buffer.getInt();
    }

    long int64() throws IOException {
        need(8);
        return buffer.getLong();
    }

    /** A number of things of which each takes at least some bytes of the rest of the file. */
    long count(long least, String things) throws IOException {
        long count = int64();
        if (count < 0 || count > remaining() / least) {
            throw wrong("claims " + Long.toUnsignedString(count) + " " + things + ", but the file has " + remaining()
                    + " bytes after it; it is truncated or damaged");
        }
        return count;
    }

    /** A text of limited length. */
    String text(int longest) throws IOException {
        long length = count(1, "bytes of text");
        if (length > longest) {
            throw wrong("has a text of " + length + " bytes; at most " + longest + " are accepted here");
        }
        byte[] bytes = new byte[(int) length];
        for (int done = 0; done < bytes.length;) {
            need(1);
            int part = Math.min(bytes.length - done, buffer.remaining());
            buffer.get(bytes, done, part);
            done += part;
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (text.indexOf(REPLACEMENT) < 0) {
            return text;
        }
        // That character is in the text, or stands for bytes that are none.
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new CheckpointException(message("has a text that is no UTF-8"), e);
        }
    }

    /** Goes on behind some bytes, of which {@link #count} has said that they are there. */
    void skip(long bytes) throws IOException {
        if (bytes < 0 || bytes > remaining()) {
            throw wrong("goes on for " + bytes + " bytes, but the file has " + remaining() + " after it");
        }
        if (bytes <= buffer.remaining()) {
            buffer.position(buffer.position() + (int) bytes);
        } else {
            filled = position() + bytes;
            buffer.position(0).limit(0);
        }
    }

    private void need(int bytes) throws IOException {
        if (buffer.remaining() >= bytes) {
            return;
        }
        buffer.compact();
        while (buffer.position() < bytes) {
            int read = channel.read(buffer, filled);
            if (read <= 0) {
                throw wrong("ends at byte " + filled + "; the file is truncated");
            }
            filled += read;
        }
        buffer.flip();
    }

    CheckpointException wrong(String what) {
        return new CheckpointException(message(what));
    }

    String message(String what) {
        return file + ": " + where + " " + what;
    }
}
