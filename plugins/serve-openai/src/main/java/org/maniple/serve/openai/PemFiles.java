package org.maniple.serve.openai;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.jspecify.annotations.Nullable;
import org.maniple.api.ManipleException;

/** Reads certificates and keys from PEM files. */
final class PemFiles {

    private static final Pattern KEY = Pattern.compile("-----BEGIN (ENCRYPTED )?PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END");
    private static final List<String> KINDS = List.of("RSA", "EC", "EdDSA");
    private static final byte[] SAMPLE = "does the key fit?".getBytes(StandardCharsets.US_ASCII);

    private PemFiles() {}

    /**
     * The certificates of a file.
     *
     * @param option the configuration key that names the file, for messages
     * @throws ManipleException if there are none
     */
    static X509Certificate[] certificates(Path file, String option) {
        try (InputStream in = Files.newInputStream(file)) {
            X509Certificate[] found = CertificateFactory.getInstance("X.509").generateCertificates(in)
                    .toArray(X509Certificate[]::new);
            if (found.length > 0) {
                return found;
            }
            throw new ManipleException(option + " [" + file + "] has no certificate in it" + needed());
        } catch (GeneralSecurityException e) {
            throw new ManipleException(option + " [" + file + "] cannot be read as certificates: " + e.getMessage() + needed(),
                    e);
        } catch (IOException e) {
            throw unreadable(file, option, e);
        }
    }

    private static String needed() {
        return "; it must be PEM: BEGIN CERTIFICATE, the server's own first and those above it after it";
    }

    /**
     * The key of a file.
     *
     * @throws ManipleException if there is none in PKCS #8, or its password is another one
     */
    static PrivateKey key(Path file, String option, @Nullable String password) {
        try {
            String text = Files.readString(file, StandardCharsets.ISO_8859_1);
            Matcher found = KEY.matcher(text);
            if (!found.find()) {
                throw new ManipleException(option + " [" + file + "] has no key in PKCS #8 (BEGIN PRIVATE KEY) in it"
                        + (text.contains("BEGIN RSA PRIVATE KEY") || text.contains("BEGIN EC PRIVATE KEY")
                                ? "; convert it: openssl pkcs8 -topk8 -nocrypt -in " + file + " -out NEW"
                                : ""));
            }
            byte[] bytes = Base64.getMimeDecoder().decode(found.group(2));
            return decoded(found.group(1) == null ? new PKCS8EncodedKeySpec(bytes) : decrypted(bytes, password));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new ManipleException(option + " [" + file + "] cannot be read as a key in PKCS #8: " + e.getMessage()
                    + "; if it is encrypted, " + OpenAiOptions.SSL_KEYFILE_PASSWORD + " must be its password", e);
        } catch (IOException e) {
            throw unreadable(file, option, e);
        }
    }

    private static PKCS8EncodedKeySpec decrypted(byte[] bytes, @Nullable String password) throws GeneralSecurityException {
        if (password == null) {
            throw new GeneralSecurityException("it is encrypted, and there is no password");
        }
        EncryptedPrivateKeyInfo info;
        try {
            info = new EncryptedPrivateKeyInfo(bytes);
        } catch (IOException unknown) {
            throw new GeneralSecurityException("it is encrypted in a way that is not known here (" + unknown.getMessage()
                    + "); encrypt it by openssl pkcs8 -topk8 -v2 aes-256-cbc", unknown);
        }
        // The parameters of PBES2 are called as the scheme that they describe.
        String scheme = info.getAlgParameters() == null ? info.getAlgName() : info.getAlgParameters().toString();
        var secret = SecretKeyFactory.getInstance(scheme).generateSecret(new PBEKeySpec(password.toCharArray()));
        Cipher cipher = Cipher.getInstance(scheme);
        cipher.init(Cipher.DECRYPT_MODE, secret, info.getAlgParameters());
        return info.getKeySpec(cipher);
    }

    private static PrivateKey decoded(PKCS8EncodedKeySpec encoded) throws GeneralSecurityException {
        GeneralSecurityException last = new GeneralSecurityException("no kind of key is known");
        for (String kind : KINDS) {
            try {
                return KeyFactory.getInstance(kind).generatePrivate(encoded);
            } catch (GeneralSecurityException another) {
                last = another;
            }
        }
        throw last;
    }

    /** Whether what one key signs the other one verifies. */
    static boolean fit(PrivateKey key, PublicKey certified) {
        try {
            String kind = switch (key.getAlgorithm()) {
                case "RSA" -> "SHA256withRSA";
                case "EC" -> "SHA256withECDSA";
                default -> key.getAlgorithm();
            };
            Signature signature = Signature.getInstance(kind);
            signature.initSign(key);
            signature.update(SAMPLE);
            byte[] signed = signature.sign();
            signature.initVerify(certified);
            signature.update(SAMPLE);
            return signature.verify(signed);
        } catch (GeneralSecurityException otherKinds) {
            return false;
        }
    }

    private static ManipleException unreadable(Path file, String option, IOException e) {
        return new ManipleException(option + " [" + file + "] cannot be read: " + e.getMessage()
                + "; give a PEM file that this process may read", e);
    }
}
