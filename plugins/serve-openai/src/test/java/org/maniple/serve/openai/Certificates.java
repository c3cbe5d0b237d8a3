package org.maniple.serve.openai;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A certificate that is its own authority, made by the JDK's keytool, and what is needed to serve with it or to trust it. */
final class Certificates {

    private static final char[] PASSWORD = "changeit".toCharArray();

    private final KeyStore store;

    private Certificates(KeyStore store) {
        this.store = store;
    }

    /** Makes one for localhost; further options go to keytool. */
    static Certificates make(Path folder, String name, String... options) throws IOException, GeneralSecurityException {
        Path file = folder.resolve(name + ".p12");
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair",
                        "-alias", "own", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=" + name, "-ext",
                        "SAN=dns:localhost,ip:127.0.0.1", "-storetype", "PKCS12", "-keystore", file.toString(), "-storepass",
                        new String(PASSWORD)));
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new AssertionError(said);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return new Certificates(KeyStore.getInstance(file.toFile(), PASSWORD));
    }

    /** Writes the certificate as PEM. */
    Path certificate(Path file) throws IOException, GeneralSecurityException {
        return pem(file, "CERTIFICATE", store.getCertificate("own").getEncoded());
    }

    /** Writes the key as PEM, in PKCS #8. */
    Path key(Path file) throws IOException, GeneralSecurityException {
        Key key = store.getKey("own", PASSWORD);
        return pem(file, "PRIVATE KEY", key.getEncoded());
    }

    private static Path pem(Path file, String what, byte[] bytes) throws IOException {
        return Files.writeString(file, "-----BEGIN " + what + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes) + "\n-----END " + what + "-----\n");
    }

    /** A client that trusts this certificate alone. */
    SSLContext trusted() throws IOException, GeneralSecurityException {
        return client(this, null);
    }

    /** A client that trusts the certificate in a file. */
    static SSLContext trusting(Path file) throws IOException, GeneralSecurityException {
        return client(PemFiles.certificates(file, "test")[0], null);
    }

    /** A client that trusts a certificate and shows another one. */
    static SSLContext client(Certificates trusted, Certificates shown) throws IOException, GeneralSecurityException {
        return client(trusted.store.getCertificate("own"), shown);
    }

    private static SSLContext client(Certificate certificate, Certificates shown) throws IOException, GeneralSecurityException {
        KeyStore trust = KeyStore.getInstance("PKCS12");
        trust.load(null, null);
        trust.setCertificateEntry("server", certificate);
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trust);
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        if (shown != null) {
            keys.init(shown.store, PASSWORD);
        }
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(shown == null ? null : keys.getKeyManagers(), managers.getTrustManagers(), null);
        return context;
    }
}
