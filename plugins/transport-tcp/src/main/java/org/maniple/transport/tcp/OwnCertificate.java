package org.maniple.transport.tcp;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * A certificate that this rank has made for itself, for as long as it runs. Nobody vouches for it: ranks tell each other its fingerprint
 * together with the proof that they know the unit's secret, and take no other one afterwards. So there are no files, no authority and no
 * dates to look after, and who learns the secret later cannot read what was recorded before.
 */
final class OwnCertificate {

    static final int FINGERPRINT_BYTES = 32;

    private static final String PROTOCOL = "TLSv1.3";
    /** The first one is taken; processors have instructions for both. */
    private static final String[] SUITES = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"};
    private static final String ALIAS = "rank";
    private static final int SERIAL_BITS = 126;

    private static final int INTEGER = 0x02;
    private static final int BITS = 0x03;
    private static final int OBJECT = 0x06;
    private static final int TEXT = 0x0c;
    private static final int SHORT_TIME = 0x17;
    private static final int TIME = 0x18;
    private static final int SEQUENCE = 0x30;
    private static final int SET = 0x31;
    private static final int VERSION = 0xa0;
    private static final byte[] ECDSA_WITH_SHA256 = {0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 4, 3, 2};
    private static final byte[] COMMON_NAME = {0x55, 4, 3};

    private final X509Certificate certificate;
    private final PrivateKey key;

    private OwnCertificate(X509Certificate certificate, PrivateKey key) {
        this.certificate = certificate;
        this.key = key;
    }

    static OwnCertificate make() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            KeyPair pair = generator.generateKeyPair();
            byte[] algorithm = der(SEQUENCE, der(OBJECT, ECDSA_WITH_SHA256));
            byte[] name = der(SEQUENCE, der(SET,
                    der(SEQUENCE, der(OBJECT, COMMON_NAME), der(TEXT, "maniple rank".getBytes(StandardCharsets.UTF_8)))));
            // Peers do not look at the dates, and need no clock that is right.
            byte[] dates = der(SEQUENCE, der(SHORT_TIME, ascii("000101000000Z")), der(TIME, ascii("99991231235959Z")));
            byte[] content = der(SEQUENCE, der(VERSION, der(INTEGER, (byte) 2)),
                    der(INTEGER, new BigInteger(SERIAL_BITS, new SecureRandom()).setBit(SERIAL_BITS).toByteArray()), algorithm,
                    name,
                    dates, name, pair.getPublic().getEncoded());
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(pair.getPrivate());
            signature.update(content);
            byte[] whole = der(SEQUENCE, content, algorithm, der(BITS, new byte[] {0}, signature.sign()));
            return new OwnCertificate((X509Certificate) CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(whole)), pair.getPrivate());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java platform cannot make certificates with keys on P-256: " + e.getMessage(),
                    e);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] der(int tag, byte... content) {
        return der(tag, new byte[][] {content});
    }

    /** A value in DER. */
    private static byte[] der(int tag, byte[]... parts) {
        var content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        var out = new ByteArrayOutputStream();
        out.write(tag);
        int length = content.size();
        if (length < 0x80) {
            out.write(length);
        } else {
            byte[] digits = BigInteger.valueOf(length).toByteArray();
            int from = digits[0] == 0 ? 1 : 0;
            out.write(0x80 | digits.length - from);
            out.write(digits, from, digits.length - from);
        }
        out.writeBytes(content.toByteArray());
        return out.toByteArray();
    }

    X509Certificate certificate() {
        return certificate;
    }

    byte[] fingerprint() {
        try {
            return fingerprint(certificate);
        } catch (CertificateException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] fingerprint(X509Certificate of) throws CertificateException {
        try {
            return MessageDigest.getInstance("SHA-256").digest(of.getEncoded());
        } catch (GeneralSecurityException e) {
            throw new CertificateException(e);
        }
    }

    /**
     * One end of a connection, before its handshake.
     *
     * @param dials whether it is the end that dialled
     * @param theirs the fingerprint of the only certificate that the other end may have
     */
    SSLEngine engine(boolean dials, byte[] theirs) {
        try {
            SSLContext context = SSLContext.getInstance(PROTOCOL);
            context.init(new KeyManager[] {new Own()}, new TrustManager[] {new Theirs(theirs)}, null);
            SSLEngine engine = context.createSSLEngine();
            engine.setUseClientMode(dials);
            engine.setEnabledProtocols(new String[] {PROTOCOL});
            engine.setEnabledCipherSuites(SUITES);
            if (!dials) {
                engine.setNeedClientAuth(true);
            }
            return engine;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java platform has no " + PROTOCOL + ": " + e.getMessage(), e);
        }
    }

    /** Takes one certificate, and does not look into it. */
    private static final class Theirs extends X509ExtendedTrustManager {

        private final byte[] expected;

        Theirs(byte[] expected) {
            this.expected = expected;
        }

        private void check(X509Certificate[] chain) throws CertificateException {
            if (chain.length == 0 || !MessageDigest.isEqual(fingerprint(chain[0]), expected)) {
                throw new CertificateException(
                        "its certificate is not the one that it has announced: somebody is in between");
            }
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
            check(chain);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }

    /** Has one certificate for every purpose. */
    private final class Own extends X509ExtendedKeyManager {

        @Override
        public String[] getClientAliases(String type, Principal @Nullable [] issuers) {
            return new String[] {ALIAS};
        }

        @Override
        public String[] getServerAliases(String type, Principal @Nullable [] issuers) {
            return getClientAliases(type, issuers);
        }

        @Override
        public String chooseClientAlias(String[] types, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return ALIAS;
        }

        @Override
        public String chooseServerAlias(String type, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return ALIAS;
        }

        @Override
        public @Nullable String chooseEngineClientAlias(String[] types, Principal @Nullable [] issuers, SSLEngine engine) {
            for (String type : types) {
                if (type.equals("EC")) {
                    return ALIAS;
                }
            }
            return null;
        }

        @Override
        public @Nullable String chooseEngineServerAlias(String type, Principal @Nullable [] issuers, SSLEngine engine) {
            return type.equals("EC") ? ALIAS : null;
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return new X509Certificate[] {certificate};
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return key;
        }
    }
}
