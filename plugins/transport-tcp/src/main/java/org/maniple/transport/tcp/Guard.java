package org.maniple.transport.tcp;

import java.util.Optional;
import javax.net.ssl.SSLEngine;

/** What a rank proves itself with, and protects its connections by. Safe for use by several threads. */
final class Guard {

    private final Proof secret;
    private final LinkSecurity security;
    private final Optional<OwnCertificate> certificate;

    Guard(byte[] secret, LinkSecurity security) {
        this.secret = new Proof(secret);
        this.security = security;
        this.certificate = security == LinkSecurity.ENCRYPT ? Optional.of(OwnCertificate.make()) : Optional.empty();
    }

    Proof secret() {
        return secret;
    }

    LinkSecurity security() {
        return security;
    }

    /** What peers recognise this rank's certificate by; zeros if it needs none. */
    byte[] fingerprint() {
        return certificate.map(OwnCertificate::fingerprint).orElse(new byte[OwnCertificate.FINGERPRINT_BYTES]);
    }

    /**
     * TLS for one connection.
     *
     * @param dials whether this end dialled
     * @param theirs the fingerprint that the other end has proved to be its own
     */
    SSLEngine engine(boolean dials, byte[] theirs) {
        return certificate.orElseThrow(() -> new IllegalStateException("there is no certificate in mode " + security))
                .engine(dials, theirs);
    }
}
