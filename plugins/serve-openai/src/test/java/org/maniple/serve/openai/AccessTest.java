package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.ManipleException;
import org.maniple.serve.openai.TestServer.Answer;

/** Who may ask. */
class AccessTest {

    private static final String KEY = "sk-right";

    private final FakeEngine engine = new FakeEngine();
    private final TestServer server = new TestServer(engine, Map.of("api-key", KEY), TestServer.LIMITS);

    @AfterEach
    void close() {
        server.close();
    }

    private Answer get(TestServer asked, String path, String authorization) {
        return asked.send(asked.request(path).header("Authorization", authorization).build());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/health", "/ping", "/ready", "/readyz", "/health/ready", "/livez"})
    void everybodyMayAskForTheHealth(String path) {
        assertThat(server.get(path).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/models", "/v1/models/toy", "/version", "/load", "/server_info", "/v1/cluster",
        "/v1/cluster/ranks",
        "/v1/cluster/links", "/v1/cluster/experts", "/v1/chat/completions", "/nowhere", "//v1/models", "/v1/..;/models",
        "/v1/%6dodels",
        "/health/../v1/models",
        "/health/", "/HEALTH", "/health%2f..%2fv1%2fmodels", "/health;x", "/abort_request", "/tokenize", "/metrics", "/get_load",
        "/v1/loads",
        "/v1/cluster/plan", "/health_generate", "/v1/embeddings", "/generate"})
    void everythingElseNeedsAKey(String path) {
        Answer answer = server.get(path);
        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.body()).isEqualTo("{\"error\":\"Unauthorized\"}");
        assertThat(answer.header("www-authenticate")).isEqualTo("Bearer");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/chat/completions", "/v1/completions", "/tokenize", "/detokenize", "/v1/detokenize",
        "/abort_request",
        "/abort_requests"})
    void everyRouteThatTakesABodyNeedsAKey(String path) {
        assertThat(server.post(path, "{}").status()).isEqualTo(401);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer sk-wrong", "Bearer sk-righ", "Bearer sk-right2", "Bearer", "Bearer ", "sk-right",
        "Basic sk-right",
        "Bearersk-right"})
    void anotherKeyIsNone(String authorization) {
        assertThat(get(server, "/v1/models", authorization).status()).isEqualTo(401);
    }

    @Test
    void theKeyOpens() {
        assertThat(get(server, "/v1/models", "Bearer " + KEY).status()).isEqualTo(200);
        assertThat(get(server, "/v1/models", "bearer " + KEY).status()).isEqualTo(200);
    }

    @Test
    void aFileMayHoldSeveralKeys(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("keys"), "# people\none\n\n two \n");
        try (TestServer other = new TestServer(new FakeEngine(), Map.of("api-key-file", file.toString()), TestServer.LIMITS)) {
            assertThat(get(other, "/v1/models", "Bearer one").status()).isEqualTo(200);
            assertThat(get(other, "/v1/models", "Bearer two").status()).isEqualTo(200);
            assertThat(get(other, "/v1/models", "Bearer # people").status()).isEqualTo(401);
        }
    }

    @Test
    void aFileWithoutKeysIsAMistake(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("keys"), "# nobody\n");
        assertThatThrownBy(() -> new TestServer(engine, Map.of("api-key-file", file.toString()), TestServer.LIMITS))
                .isInstanceOf(ManipleException.class)
                .hasMessage("api-key-file [" + file + "] has no key in it; write one key on each line");
        assertThatThrownBy(() -> new TestServer(engine, Map.of("api-key-file", directory + "/none"), TestServer.LIMITS))
                .isInstanceOf(ManipleException.class).hasMessageContaining("cannot be read");
    }

    @Test
    void pagesOfOtherOriginsMayNotAskForAnythingWithAnEffect() {
        try (TestServer open = new TestServer(new FakeEngine())) {
            var request = open.request("/v1/chat/completions").header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(TestServer.chatBody("")));
            assertThat(open.send(request.copy().header("Origin", "http://evil.example").build()).status()).isEqualTo(403);
            assertThat(open.send(request.copy().header("Origin", "null").build()).status()).isEqualTo(403);
            assertThat(open.send(request.copy().header("Origin", open.serving.url()).build()).status()).isEqualTo(200);
        }
    }

    @Test
    void aServerForThisMachineAnswersToNamesOfThisMachine() throws IOException {
        try (TestServer open = new TestServer(new FakeEngine())) {
            for (String host : List.of("localhost", "127.0.0.1:8000", "[::1]:8000", "app.localhost")) {
                assertThat(RawClient.ask(open, "GET /version HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"))
                        .startsWith("HTTP/1.1 200");
            }
            assertThat(RawClient.ask(open, "GET /version HTTP/1.1\r\nHost: evil.example:8000\r\nConnection: close\r\n\r\n"))
                    .startsWith("HTTP/1.1 403");
        }
    }

    @Test
    void anAddressForOthersNeedsAKeyUnlessSomebodyWroteItDown() {
        List<String> announced = new ArrayList<>();
        var notWritten = TestServer.context(new MapSettings(Map.of("host", "0.0.0.0", "port", 0, "not-given:host", true)),
                announced);
        assertThatThrownBy(() -> new OpenAiFrontend().serve(engine, notWritten, TestServer.LIMITS))
                .isInstanceOf(ManipleException.class)
                .hasMessage("host [0.0.0.0] can be reached from other machines and no api-key is set; set api-key-file, or write"
                        + " --host 0.0.0.0 to serve without a key");
        var written = TestServer.context(new MapSettings(Map.of("host", "0.0.0.0", "port", 0)), announced);
        new OpenAiFrontend().serve(engine, written, TestServer.LIMITS).close();
        assertThat(announced).singleElement().asString().contains("can be used by everybody who can reach it");
    }

    @Test
    void aPortInUseIsNamedWithWhatToDo() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> new TestServer(engine, Map.of("port", taken.getLocalPort()), TestServer.LIMITS))
                    .isInstanceOf(ManipleException.class)
                    .hasMessageStartingWith("cannot listen on host [127.0.0.1] port [" + taken.getLocalPort() + "]: ")
                    .hasMessageContaining("--port");
        }
    }

    @Test
    void aHostWithoutAddressIsNamed() {
        assertThatThrownBy(() -> new TestServer(engine, Map.of("host", "no-such-host.invalid"), TestServer.LIMITS))
                .isInstanceOf(ManipleException.class)
                .hasMessage(
                        "cannot listen on host [no-such-host.invalid] port [0]: the host has no address; give an address of this"
                                + " machine with --host");
    }

    @Test
    void pagesOfAnOriginThatIsNamedMayUseTheServer() {
        Map<String, Object> settings = Map.of("api-key", KEY, "allowed-origins", List.of("https://Chat.example.org"));
        try (TestServer other = new TestServer(new FakeEngine(), settings, TestServer.LIMITS)) {
            Answer preflight = other.send(other.request("/v1/chat/completions").header("Origin", "https://chat.example.org")
                    .header("Access-Control-Request-Method", "POST").method("OPTIONS", HttpRequest.BodyPublishers.noBody())
                    .build());
            assertThat(preflight.status()).isEqualTo(204);
            assertThat(preflight.header("access-control-allow-origin")).isEqualTo("https://chat.example.org");
            assertThat(preflight.header("access-control-allow-headers")).contains("Authorization").contains("Content-Type");
            Answer chat = other.send(other.request("/v1/chat/completions").header("Origin", "https://chat.example.org")
                    .header("Authorization", "Bearer " + KEY).header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(TestServer.chatBody(""))).build());
            assertThat(chat.status()).isEqualTo(200);
            assertThat(chat.header("access-control-allow-origin")).isEqualTo("https://chat.example.org");
            assertThat(chat.header("vary")).isEqualTo("Origin");
            assertThat(chat.headers()).doesNotContainKey("access-control-allow-credentials");
            Answer foreign = other.send(other.request("/v1/models").header("Origin", "https://evil.example")
                    .header("Authorization", "Bearer " + KEY).build());
            assertThat(foreign.headers()).doesNotContainKey("access-control-allow-origin");
            assertThat(other.send(other.request("/v1/chat/completions").header("Origin", "https://evil.example")
                    .header("Access-Control-Request-Method", "POST").method("OPTIONS", HttpRequest.BodyPublishers.noBody())
                    .build())
                    .status()).isEqualTo(403);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"chat.example.org", "https://chat.example.org/", "*", "ftp://x"})
    void whatIsNoOriginOrAllOfThemWithoutAKeyIsAMistake(String origin) {
        assertThatThrownBy(() -> new TestServer(engine, Map.of("allowed-origins", List.of(origin)), TestServer.LIMITS))
                .isInstanceOf(ManipleException.class).hasMessageContaining("allowed-origins [" + origin + "]");
    }
}
