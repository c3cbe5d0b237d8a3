package org.maniple.serve.openai;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.maniple.api.ManipleException;
import org.maniple.api.config.Settings;

/**
 * TLS 1.3 and 1.2 with the JDK's implementation. The files may be replaced while the server runs: connections that come later use the new
 * ones, unless these make no sense. Safe for use by several threads.
 */
final class Tls {

    private static final Logger LOG = System.getLogger(Tls.class.getName());
    private static final Duration HANDSHAKE = Duration.ofSeconds(10);
    private static final String[] CLIENT_CERTIFICATES = {"0", "1", "2"};

    private final Path certificates;
    private final Path key;
    private final @Nullable String password;
    private final Optional<Path> authorities;
    private final ClientAuth clients;
    private final WatchedFiles files;
    private volatile SslContext context;

    private Tls(Path certificates, Path key, @Nullable String password, Optional<Path> authorities, ClientAuth clients) {
        this.certificates = certificates;
        this.key = key;
        this.password = password;
        this.authorities = authorities;
        this.clients = clients;
        this.files = new WatchedFiles(Stream.concat(Stream.of(certificates, key), authorities.stream()).toList());
        this.context = read();
    }

    /** The values that {@code ssl-cert-reqs} may have: those of Python's module {@code ssl}, which vLLM takes. */
    static String[] clientCertificates() {
        return CLIENT_CERTIFICATES.clone();
    }

    /**
     * Reads a configuration.
     *
     * @return empty if it asks for no TLS
     * @throws ManipleException if its parts contradict each other, or a file cannot be used
     */
    static Optional<Tls> of(Settings settings) {
        Optional<Path> certificates = path(settings, OpenAiOptions.SSL_CERTFILE);
        Optional<Path> key = path(settings, OpenAiOptions.SSL_KEYFILE);
        Optional<Path> authorities = path(settings, OpenAiOptions.SSL_CA_CERTS);
        ClientAuth clients = switch (settings.optionalText(OpenAiOptions.SSL_CERT_REQS).orElse("0")) {
            case "1" -> ClientAuth.OPTIONAL;
            case "2" -> ClientAuth.REQUIRE;
            default -> ClientAuth.NONE;
        };
        if (certificates.isPresent() != key.isPresent()) {
            throw new ManipleException("TLS needs both " + OpenAiOptions.SSL_CERTFILE + " and " + OpenAiOptions.SSL_KEYFILE + "; only ["
                    + certificates.or(() -> key).orElseThrow() + "] is given");
        }
        if (clients != ClientAuth.NONE && (authorities.isEmpty() || certificates.isEmpty())) {
            throw new ManipleException("certificates of clients (" + OpenAiOptions.SSL_CERT_REQS + ") need " + OpenAiOptions.SSL_CA_CERTS
                    + ", which has the authorities that they are signed by, beside " + OpenAiOptions.SSL_CERTFILE + " and "
                    + OpenAiOptions.SSL_KEYFILE);
        }
        return certificates.map(chain -> new Tls(chain, key.orElseThrow(),
                settings.optionalText(OpenAiOptions.SSL_KEYFILE_PASSWORD).orElse(null), authorities, clients));
    }

    /** What encrypts a new connection. */
    SslHandler handler(ByteBufAllocator memory) {
        if (files.haveChanged()) {
            try {
                context = read();
                LOG.log(Level.INFO, "{0} and {1} have been read again", certificates, key);
            } catch (ManipleException unusable) {
                LOG.log(Level.WARNING, "The certificate stays as it was: {0}", unusable.getMessage());
            }
        }
        SslHandler handler = context.newHandler(memory);
        handler.setHandshakeTimeout(HANDSHAKE.toMillis(), TimeUnit.MILLISECONDS);
        return handler;
    }

    private SslContext read() {
        checkReadable(certificates, OpenAiOptions.SSL_CERTFILE);
        checkReadable(key, OpenAiOptions.SSL_KEYFILE);
        authorities.ifPresent(file -> checkReadable(file, OpenAiOptions.SSL_CA_CERTS));
        try {
            SslContextBuilder builder = builder().sslProvider(SslProvider.JDK).protocols("TLSv1.3", "TLSv1.2").clientAuth(clients);
            authorities.map(Path::toFile).ifPresent(builder::trustManager);
            return builder.build();
        } catch (SSLException | IllegalArgumentException e) {
            throw new ManipleException("[" + certificates + "] and [" + key + "] make no TLS" + (authorities.isPresent()
                    ? " with the authorities of [" + authorities.get() + "]"
                    : "") + ": " + e.getMessage() + "; is the key that of the first certificate?", e);
        }
    }

    private SslContextBuilder builder() {
        File chain = certificates.toFile();
        try {
            return SslContextBuilder.forServer(chain, key.toFile(), password);
        } catch (IllegalArgumentException e) {
            throw new ManipleException("[" + certificates + "] and [" + key + "] cannot be read as PEM: " + e.getMessage()
                    + hint() + "; " + OpenAiOptions.SSL_CERTFILE + " needs the server's certificate and those above it, "
                    + OpenAiOptions.SSL_KEYFILE + " its key in PKCS #8 (BEGIN PRIVATE KEY, or BEGIN ENCRYPTED PRIVATE KEY with "
                    + OpenAiOptions.SSL_KEYFILE_PASSWORD + ")", e);
        }
    }

    /** What to do about the forms that OpenSSL used to write. */
    private String hint() {
        try {
            String pem = Files.readString(key, StandardCharsets.ISO_8859_1);
            return pem.contains("BEGIN RSA PRIVATE KEY") || pem.contains("BEGIN EC PRIVATE KEY")
                    ? "; convert the key: openssl pkcs8 -topk8 -nocrypt -in " + key + " -out NEW"
                    : "";
        } catch (IOException e) {
            return "";
        }
    }

    private static Optional<Path> path(Settings settings, String option) {
        return settings.optionalText(option).map(Path::of);
    }

    private static void checkReadable(Path file, String option) {
        if (!Files.isReadable(file)) {
            throw new ManipleException(option + " [" + file + "] cannot be read; give a PEM file that this process may read");
        }
    }
}
