package org.maniple.serve.openai;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
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
            throw new ManipleException(
                    "TLS needs both " + OpenAiOptions.SSL_CERTFILE + " and " + OpenAiOptions.SSL_KEYFILE + "; only ["
                            + certificates.or(() -> key).orElseThrow() + "] is given");
        }
        if (clients != ClientAuth.NONE && (authorities.isEmpty() || certificates.isEmpty())) {
            throw new ManipleException("certificates of clients (" + OpenAiOptions.SSL_CERT_REQS + ") need "
                    + OpenAiOptions.SSL_CA_CERTS
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
        X509Certificate[] chain = PemFiles.certificates(certificates, OpenAiOptions.SSL_CERTFILE);
        PrivateKey own = PemFiles.key(key, OpenAiOptions.SSL_KEYFILE, password);
        if (!PemFiles.fit(own, chain[0].getPublicKey())) {
            throw new ManipleException(OpenAiOptions.SSL_KEYFILE + " [" + key + "] is not the key of the first certificate in "
                    + OpenAiOptions.SSL_CERTFILE + " [" + certificates + "]");
        }
        try {
            SslContextBuilder builder = SslContextBuilder.forServer(own, chain).sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3", "TLSv1.2").clientAuth(clients);
            authorities.ifPresent(file -> builder.trustManager(PemFiles.certificates(file, OpenAiOptions.SSL_CA_CERTS)));
            return builder.build();
        } catch (SSLException e) {
            throw new ManipleException("[" + certificates + "] and [" + key + "] make no TLS: " + e.getMessage(), e);
        }
    }

    private static Optional<Path> path(Settings settings, String option) {
        return settings.optionalText(option).map(Path::of);
    }
}
