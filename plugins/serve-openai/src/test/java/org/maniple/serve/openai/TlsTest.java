package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.ManipleException;

/** The API over TLS. */
@Timeout(60)
class TlsTest {

    @TempDir
    private static Path folder;
    private static Certificates first;
    private static Certificates other;
    private static Path certificate;
    private static Path key;

    @BeforeAll
    static void make() throws IOException, GeneralSecurityException {
        first = Certificates.make(folder, "first");
        other = Certificates.make(folder, "other");
        certificate = first.certificate(folder.resolve("first.pem"));
        key = first.key(folder.resolve("first.key"));
    }

    private static TestServer server(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(
                Map.of("ssl-certfile", certificate.toString(), "ssl-keyfile", key.toString()));
        settings.putAll(more);
        return new TestServer(new FakeEngine(), settings, TestServer.LIMITS);
    }

    private static HttpResponse<String> ask(TestServer server, SSLContext trust, String path)
            throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(trust).build()) {
            return client.send(server.request(path).build(), HttpResponse.BodyHandlers.ofString());
        }
    }

    private static SSLSocket socket(TestServer server, SSLContext trust, String... protocols) throws IOException {
        SSLSocket socket = (SSLSocket) trust.getSocketFactory().createSocket("127.0.0.1", server.port());
        socket.setSoTimeout(30_000);
        if (protocols.length > 0) {
            socket.setEnabledProtocols(protocols);
        }
        return socket;
    }

    @Test
    void answersAndStreamsToWhoeverTrustsTheCertificate() throws Exception {
        try (TestServer server = server(Map.of());
                HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(first.trusted())
                        .build()) {
            assertThat(server.serving.url()).startsWith("https://127.0.0.1:");
            HttpRequest chat = server.request("/v1/chat/completions").header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(TestServer.chatBody("\"stream\":true"))).build();
            HttpResponse<String> answer = client.send(chat, HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.body()).endsWith("data: [DONE]\n\n");
        }
    }

    @Test
    void isRefusedByWhoeverDoesNot() throws Exception {
        try (TestServer server = server(Map.of())) {
            assertThatThrownBy(() -> ask(server, other.trusted(), "/livez")).isInstanceOf(SSLHandshakeException.class);
            assertThat(ask(server, first.trusted(), "/livez").statusCode()).as("the server goes on").isEqualTo(200);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void speaksTheVersionsThatAreSafeAndEndsInOrder(String version) throws Exception {
        try (TestServer server = server(Map.of()); SSLSocket socket = socket(server, first.trusted(), version)) {
            socket.startHandshake();
            assertThat(socket.getSession().getProtocol()).isEqualTo(version);
            socket.getOutputStream().write("GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
            // Without the server's farewell (close_notify) reading to the end would fail.
            assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void doesNotShakeHandsTwice() throws Exception {
        try (TestServer server = server(Map.of()); SSLSocket socket = socket(server, first.trusted(), "TLSv1.2")) {
            socket.startHandshake();
            OutputStream out = socket.getOutputStream();
            InputStream in = socket.getInputStream();
            out.write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(in.read()).isEqualTo('H');
            socket.startHandshake();
            assertThatThrownBy(() -> {
                while (in.read() >= 0) {
                    // up to the end, or to a failure
                }
                throw new SSLException("ended");
            }).isInstanceOf(IOException.class);
        }
    }

    @Test
    void hangsUpOnWhoeverSpeaksPlainHttp() throws Exception {
        try (TestServer server = server(Map.of()); Socket socket = new Socket("127.0.0.1", server.port())) {
            socket.setSoTimeout(30_000);
            socket.getOutputStream().write("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            assertThat(answer).doesNotContain("HTTP");
        }
    }

    @Test
    void takesANewCertificateWithoutARestartAndKeepsTheOldOneUntilItMakesSense() throws Exception {
        Path changing = Files.copy(certificate, folder.resolve("changing.pem"));
        Path changingKey = Files.copy(key, folder.resolve("changing.key"));
        try (TestServer server = server(Map.of("ssl-certfile", changing.toString(), "ssl-keyfile", changingKey.toString()))) {
            assertThat(ask(server, first.trusted(), "/livez").statusCode()).isEqualTo(200);
            other.certificate(changing);
            Thread.sleep(300);
            assertThat(ask(server, first.trusted(), "/livez").statusCode()).as("the key does not fit yet").isEqualTo(200);
            other.key(changingKey);
            SSLContext trust = other.trusted();
            long end = System.nanoTime() + 30_000_000_000L;
            int status = 0;
            while (status != 200 && System.nanoTime() < end) {
                try {
                    status = ask(server, trust, "/livez").statusCode();
                } catch (SSLHandshakeException stillTheOldOne) {
                    Thread.sleep(100);
                }
            }
            assertThat(status).isEqualTo(200);
        }
    }

    @Test
    void asksClientsForACertificateIfItIsToldTo() throws Exception {
        Path authority = other.certificate(folder.resolve("authority.pem"));
        Map<String, Object> settings = Map.of("ssl-ca-certs", authority.toString(), "ssl-cert-reqs", "2");
        try (TestServer server = server(settings)) {
            assertThat(ask(server, Certificates.client(first, other), "/livez").statusCode()).isEqualTo(200);
            assertThatThrownBy(() -> ask(server, Certificates.client(first, first), "/livez")).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> ask(server, first.trusted(), "/livez")).isInstanceOf(IOException.class);
        }
    }

    @Test
    void saysWhatIsWrongWithItsFiles() throws Exception {
        Path nothing = Files.writeString(folder.resolve("nothing.pem"), "nothing\n");
        Path old = Files.writeString(folder.resolve("old.key"),
                "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n");
        refuses(Map.of("ssl-keyfile", folder + "/none"), "ssl-keyfile [" + folder + "/none] cannot be read");
        refuses(Map.of("ssl-certfile", nothing.toString()), "ssl-certfile [" + nothing + "]");
        refuses(Map.of("ssl-keyfile", nothing.toString()), "has no key in PKCS #8");
        refuses(Map.of("ssl-keyfile", old.toString()), "convert it: openssl pkcs8 -topk8 -nocrypt -in " + old);
        refuses(Map.of("ssl-cert-reqs", "2"), "certificates of clients (ssl-cert-reqs) need ssl-ca-certs");
        refuses(Map.of("ssl-keyfile", other.key(folder.resolve("other.key")).toString()),
                "is not the key of the first certificate in ssl-certfile");
        assertThatThrownBy(
                () -> new TestServer(new FakeEngine(), Map.of("ssl-certfile", certificate.toString()), TestServer.LIMITS))
                .isInstanceOf(ManipleException.class).hasMessageContaining("TLS needs both ssl-certfile and ssl-keyfile");
    }

    /** The key was made by OpenSSL, for this test. */
    @Test
    void readsAKeyThatIsEncryptedIfItHasThePassword() throws Exception {
        Path chain = copy("encrypted.pem");
        Path encrypted = copy("encrypted.key");
        Map<String, Object> files = Map.of("ssl-certfile", chain.toString(), "ssl-keyfile", encrypted.toString());
        Map<String, Object> opened = new HashMap<>(files);
        opened.put("ssl-keyfile-password", "secret");
        try (TestServer server = server(opened)) {
            assertThat(ask(server, Certificates.trusting(chain), "/livez").statusCode()).isEqualTo(200);
        }
        refuses(files, "it is encrypted, and there is no password");
        opened.put("ssl-keyfile-password", "guess");
        refuses(opened, "ssl-keyfile-password must be its password");
    }

    private static Path copy(String resource) throws IOException {
        try (InputStream in = TlsTest.class.getResourceAsStream(resource)) {
            Path file = folder.resolve(resource);
            Files.copy(in, file);
            return file;
        }
    }

    private static void refuses(Map<String, Object> settings, String because) {
        assertThatThrownBy(() -> server(settings).close()).isInstanceOf(ManipleException.class).hasMessageContaining(because);
    }
}
