package org.maniple.checkpoint.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Short texts that are equal for equal files. */
final class Fingerprint {

    private static final int SAMPLES = 64;
    private static final int SAMPLE_BYTES = 4096;
    private static final int BUFFER_BYTES = 1 << 16;

    private Fingerprint() {}

    /** Size, all of the header, and blocks of the data: the first, the last, and others at even distances between them. */
    static String sampled(FileChannel channel, long dataStart) throws IOException {
        long size = channel.size();
        MessageDigest header = sha256();
        add(header, channel, 0, dataStart);
        MessageDigest samples = sha256();
        long data = size - dataStart;
        if (data <= (long) SAMPLES * SAMPLE_BYTES) {
            add(samples, channel, dataStart, size);
        } else {
            long room = data - SAMPLE_BYTES;
            for (int i = 0; i < SAMPLES; i++) {
                // Divided before it is multiplied, so that it cannot overflow; the last block is added exactly.
                long from = dataStart + (i == SAMPLES - 1 ? room : room / (SAMPLES - 1) * i);
                add(samples, channel, from, from + SAMPLE_BYTES);
            }
        }
        return "size " + size + ", header sha256 " + hex(header) + ", samples sha256 " + hex(samples);
    }

    /** Size and all bytes. */
    static String full(FileChannel channel) throws IOException {
        long size = channel.size();
        MessageDigest digest = sha256();
        add(digest, channel, 0, size);
        return "size " + size + ", sha256 " + hex(digest);
    }

    private static void add(MessageDigest digest, FileChannel channel, long from, long to) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(BUFFER_BYTES, to - from));
        for (long at = from; at < to;) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), to - at));
            int count = channel.read(buffer, at);
            if (count < 0) {
                throw new IOException("the file ended at " + at + ", it was longer when it was opened");
            }
            digest.update(buffer.flip());
            at += count;
        }
    }

    private static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
