package org.maniple.transport.tcp;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Proofs that an end of a connection knows the unit's secret, bound to all that both ends have said. */
final class Proof {

    static final int BYTES = 32;
    static final int NONCE_BYTES = 32;

    /** What keys are for. */
    static final String DIALLING_FRAMES = "maniple frames of the dialling end";

    static final String ACCEPTING_FRAMES = "maniple frames of the accepting end";

    private static final String ALGORITHM = "HmacSHA256";
    private static final int MIN_SECRET_BYTES = 16;

    private final SecretKeySpec key;
    private final SecureRandom random = new SecureRandom();

    Proof(byte[] secret) {
        if (secret.length < MIN_SECRET_BYTES) {
            throw new IllegalArgumentException(
                    "the unit secret has " + secret.length + " bytes; it needs at least " + MIN_SECRET_BYTES);
        }
        this.key = new SecretKeySpec(secret, ALGORITHM);
    }

    byte[] nonce() {
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        return nonce;
    }

    /**
     * Makes a proof, or a key for what follows.
     *
     * @param role who proves, so that a proof cannot be sent back to whom it came from; or what the key is for
     * @param said everything that was said before
     */
    byte[] of(String role, byte[]... said) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key);
            mac.update(role.getBytes(StandardCharsets.US_ASCII));
            for (byte[] part : said) {
                mac.update(part);
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
