package org.maniple.transport.tcp;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The accepting end's answers, each of a fixed size: a challenge to the preface, and a verdict on the proof. */
final class Verdict {

    /** Both ends are satisfied. */
    static final int WELCOME = 0;
    /** The challenge is in order; a proof is expected. */
    static final int PROVE = 0;
    /** The versions of the protocol differ. Cannot be proved, since proofs belong to a version. */
    static final int OTHER_VERSION = 1;
    /** The proof is wrong. Cannot be proved either. */
    static final int WRONG_SECRET = 2;
    /** The ends do not belong together, and never will. */
    static final int OTHER_UNIT = 3;
    /** The ends do not fit together now, but the accepting one may be replaced. */
    static final int NOT_NOW = 4;

    static final int CHALLENGE_BYTES = 12 + Proof.NONCE_BYTES + OwnCertificate.FINGERPRINT_BYTES;
    static final int VERDICT_BYTES = 512;

    private static final int MAX_TEXT = VERDICT_BYTES - 8 - Proof.BYTES;

    private Verdict() {}

    /** Why not. */
    record Reason(int status, String text) {}

    static byte[] challenge(int status, byte[] nonce, byte[] fingerprint) {
        return ByteBuffer.allocate(CHALLENGE_BYTES).putInt(Preface.MAGIC).putInt(Preface.VERSION).putInt(status).put(nonce)
                .put(fingerprint).array();
    }

    static int magic(byte[] message) {
        return ByteBuffer.wrap(message).getInt(0);
    }

    static int version(byte[] message) {
        return ByteBuffer.wrap(message).getInt(4);
    }

    static int challengeStatus(byte[] challenge) {
        return ByteBuffer.wrap(challenge).getInt(8);
    }

    /** Of the certificate that the accepting end will have. */
    static byte[] fingerprint(byte[] challenge) {
        return Arrays.copyOfRange(challenge, CHALLENGE_BYTES - OwnCertificate.FINGERPRINT_BYTES, CHALLENGE_BYTES);
    }

    /** A verdict without its proof. */
    static byte[] verdict(Reason reason) {
        byte[] text = reason.text().getBytes(StandardCharsets.UTF_8);
        int length = Math.min(text.length, MAX_TEXT);
        ByteBuffer out = ByteBuffer.allocate(VERDICT_BYTES - Proof.BYTES);
        return out.putInt(reason.status()).putInt(length).put(text, 0, length).array();
    }

    /** Reads a verdict, whose text is only to be shown if its proof is right. */
    static Reason read(byte[] verdict) {
        ByteBuffer in = ByteBuffer.wrap(verdict);
        int status = in.getInt();
        int length = Math.clamp(in.getInt(), 0, MAX_TEXT);
        return new Reason(status, new String(verdict, 8, length, StandardCharsets.UTF_8));
    }
}
