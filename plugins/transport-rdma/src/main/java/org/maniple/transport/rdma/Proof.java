package org.maniple.transport.rdma;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.maniple.api.transport.Transport;

/** What only ranks that know the unit's secret can compute, bound to unit, epoch, ranks, and numbers that are used once. */
final class Proof {

    static final int BYTES = 32;
    static final int NONCE = 16;

    private static final String ALGORITHM = "HmacSHA256";
    private static final int MIN_SECRET_BYTES = 16;

    private final SecretKeySpec key;
    private final byte[] unit;
    private final long epoch;
    private final int ranks;

    Proof(Transport.Identity identity) {
        if (identity.secret().length < MIN_SECRET_BYTES) {
            throw new IllegalArgumentException(
                    "the unit secret has " + identity.secret().length + " bytes; it needs at least " + MIN_SECRET_BYTES);
        }
        this.key = new SecretKeySpec(identity.secret(), ALGORITHM);
        this.unit = identity.unit().getBytes(StandardCharsets.UTF_8);
        this.epoch = identity.epoch();
        this.ranks = identity.ranks();
    }

    static byte[] nonce() {
        byte[] nonce = new byte[NONCE];
        new SecureRandom().nextBytes(nonce);
        return nonce;
    }

    /** With what a rank introduces itself to another. */
    byte[] introduction(int from, int to, byte[] fromNonce, byte[] toNonce) {
        return of("introduction", from, to, fromNonce, toNonce);
    }

    /** The number of the first message from one rank to another: who does not know the secret cannot slip one in. */
    long firstMessage(int from, int to, byte[] fromNonce, byte[] toNonce) {
        // Half of all numbers, so that counting on never comes to those of introductions.
        return ByteBuffer.wrap(of("messages", from, to, fromNonce, toNonce)).getLong() >>> 17;
    }

    private byte[] of(String use, int from, int to, byte[] fromNonce, byte[] toNonce) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            mac.update(("maniple rdma " + use).getBytes(StandardCharsets.US_ASCII));
            mac.update(ByteBuffer.allocate(24).putInt(unit.length).putLong(epoch).putInt(ranks).putInt(from).putInt(to).array());
            mac.update(unit);
            mac.update(fromNonce);
            return mac.doFinal(toNonce);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
        }
    }

    /** Compares in constant time. */
    static boolean equal(byte[] proof, byte[] expected) {
        return MessageDigest.isEqual(proof, expected);
    }
}
