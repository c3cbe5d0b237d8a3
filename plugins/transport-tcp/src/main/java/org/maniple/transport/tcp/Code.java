package org.maniple.transport.tcp;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * HMAC-SHA-256-128 (RFC 2104, RFC 4868) of a whole frame, header and payload. The header has the frame's number, and every direction of every
 * connection a key of its own, so that no frame fits anywhere else or twice. Made of a digest, since {@link javax.crypto.Mac} makes
 * objects for every frame.
 */
final class Code implements Seal {

    static final int BYTES = 16;

    private static final int BLOCK = 64;
    private static final int DIGEST = 32;
    private static final int PIECE = 8 << 10;
    private static final byte INNER = 0x36;
    private static final byte OUTER = 0x5c;

    private final MessageDigest digest;
    private final byte[] inner;
    private final byte[] outer;
    private final byte[] piece = new byte[PIECE];
    private final byte[] result = new byte[DIGEST];

    /**
     * For one direction.
     *
     * @param key at most as long as a block
     */
    Code(byte[] key) {
        this.inner = padded(key, INNER);
        this.outer = padded(key, OUTER);
        try {
            this.digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static byte[] padded(byte[] key, byte pad) {
        byte[] block = new byte[BLOCK];
        System.arraycopy(key, 0, block, 0, key.length);
        for (int i = 0; i < BLOCK; i++) {
            block[i] ^= pad;
        }
        return block;
    }

    @Override
    public int bytes() {
        return BYTES;
    }

    @Override
    public void begin(MemorySegment memory, long header) {
        begin();
        update(memory, header, FrameHeader.BYTES);
    }

    void begin() {
        digest.reset();
        digest.update(inner);
    }

    @Override
    public void update(MemorySegment payload, long offset, long bytes) {
        for (long done = 0; done < bytes;) {
            int count = (int) Math.min(PIECE, bytes - done);
            MemorySegment.copy(payload, ValueLayout.JAVA_BYTE, offset + done, piece, 0, count);
            digest.update(piece, 0, count);
            done += count;
        }
    }

    void update(byte[] bytes, int count) {
        digest.update(bytes, 0, count);
    }

    /** Ends it; only the first bytes count. Used again for the next one. */
    byte[] end() {
        try {
            digest.digest(result, 0, DIGEST);
            digest.update(outer);
            digest.update(result);
            digest.digest(result, 0, DIGEST);
            return result;
        } catch (DigestException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void write(MemorySegment to, long offset) {
        MemorySegment.copy(end(), 0, to, ValueLayout.JAVA_BYTE, offset, BYTES);
    }

    @Override
    public boolean matches(MemorySegment memory, long offset) {
        byte[] expected = end();
        int different = 0;
        // All of them in any case, so that the time tells nothing.
        for (int i = 0; i < BYTES; i++) {
            different |= expected[i] ^ memory.get(ValueLayout.JAVA_BYTE, offset + i);
        }
        return different == 0;
    }

    @Override
    public String broken() {
        return "with a wrong authentication code: it was corrupted or changed on the way";
    }
}
