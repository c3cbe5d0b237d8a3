package org.maniple.kernel.engine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Optional;

/**
 * Makes the keys of KV blocks. A key is the SHA-256 of the key before it and the block's tokens, and the key before the first one that of
 * the request's salt: so equal keys mean equal tokens from the first one on and an equal salt, also where somebody tries to find prompts for
 * which that is not so. Used by the engine's thread alone; allocates for the salt only.
 */
final class BlockHasher {

    /** Longs of a key. */
    static final int WORDS = 4;

    private static final int KEY_BYTES = WORDS * Long.BYTES;
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private final MessageDigest digest;
    private final int blockSize;
    private final byte[] content;
    private final byte[] result = new byte[KEY_BYTES];

    BlockHasher(int blockSize) {
        this.blockSize = blockSize;
        content = new byte[KEY_BYTES + Integer.BYTES * blockSize];
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("Every Java platform has SHA-256", impossible);
        }
    }

    /**
     * Writes the key of a block that is full of tokens.
     *
     * @param keys of the blocks before it
     * @param block its index in the sequence
     * @param tokens of the sequence
     * @param salt of the request
     */
    void write(long[] keys, int block, int[] tokens, Optional<String> salt) {
        if (block == 0) {
            salted(salt);
        } else {
            for (int i = 0; i < WORDS; i++) {
                LONGS.set(content, Long.BYTES * i, keys[WORDS * (block - 1) + i]);
            }
        }
        for (int i = 0; i < blockSize; i++) {
            INTS.set(content, KEY_BYTES + Integer.BYTES * i, tokens[block * blockSize + i]);
        }
        digest.update(content, 0, content.length);
        try {
            digest.digest(result, 0, KEY_BYTES);
        } catch (DigestException impossible) {
            throw new IllegalStateException("A SHA-256 has " + KEY_BYTES + " bytes", impossible);
        }
        for (int i = 0; i < WORDS; i++) {
            keys[WORDS * block + i] = (long) LONGS.get(result, Long.BYTES * i);
        }
    }

    private void salted(Optional<String> salt) {
        Arrays.fill(content, 0, KEY_BYTES, (byte) 0);
        if (salt.isPresent()) {
            System.arraycopy(digest.digest(salt.get().getBytes(StandardCharsets.UTF_8)), 0, content, 0, KEY_BYTES);
        }
    }
}
