package org.maniple.transport.shm;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.maniple.api.transport.Transport;

/** Proofs that a rank knows the unit's secret, bound to unit, epoch, ranks, and numbers that are used once. */
final class Proof {

    static final int BYTES = 32;

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
        byte[] nonce = new byte[BYTES];
        new SecureRandom().nextBytes(nonce);
        return nonce;
    }

    /** That memory with this number is the one of a rank. */
    byte[] ofOwner(int rank, byte[] nonce) {
        return of("owner", rank, -1, nonce);
    }

    /** That a rank, whose own memory has the second number, may use the memory of another one, which has the first number. */
    byte[] ofGuest(int owner, int guest, byte[] ownerNonce, byte[] guestNonce) {
        return of("guest", owner, guest, ownerNonce, guestNonce);
    }

    private byte[] of(String role, int owner, int guest, byte[]... nonces) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            mac.update(("maniple shm " + role).getBytes(StandardCharsets.US_ASCII));
            mac.update(
                    ByteBuffer.allocate(24).putInt(unit.length).putLong(epoch).putInt(ranks).putInt(owner).putInt(guest).array());
            mac.update(unit);
            for (byte[] nonce : nonces) {
                mac.update(nonce);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
        }
    }

    /** Compares in constant time. */
    static boolean equal(byte[] proof, byte[] expected) {
        return MessageDigest.isEqual(proof, expected);
    }
}
