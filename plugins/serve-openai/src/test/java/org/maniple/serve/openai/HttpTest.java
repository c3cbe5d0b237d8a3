package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.http.HttpRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.serve.openai.TestServer.Answer;

/** HTTP itself: framing, limits, order. */
@Timeout(60)
class HttpTest {

    private static final String CLOSE = "Host: localhost\r\nConnection: close\r\n";

    private final FakeEngine engine = new FakeEngine();
    private final TestServer server = new TestServer(engine);

    @AfterEach
    void close() {
        server.close();
    }

    private String ask(String request) throws IOException {
        return RawClient.ask(server, request);
    }

    @Test
    void saysNothingAboutItself() {
        Answer answer = server.get("/version");
        assertThat(answer.headers().keySet()).containsExactlyInAnyOrder("content-type", "content-length", "x-request-id",
                "x-content-type-options");
    }

    @Test
    void givesTheRequestIdBack() {
        Answer named = server.send(server.request("/version").header("X-Request-Id", "a.B_c-9").build());
        assertThat(named.header("x-request-id")).isEqualTo("a.B_c-9");
        assertThat(server.get("/version").header("x-request-id")).matches("[0-9a-f]{32}");
        for (String bad : new String[] {"a b", "x".repeat(129), "ä", "<"}) {
            assertThat(server.send(server.request("/version").header("X-Request-Id", bad).build()).header("x-request-id"))
                    .matches("[0-9a-f]{32}");
        }
        Answer chat = server.send(server.request("/v1/chat/completions").header("X-Request-Id", "mine")
                .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(TestServer.chatBody("")))
                .build());
        assertThat(chat.at("id")).isEqualTo("chatcmpl-mine");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "/v1/chat/completions | GET | POST, OPTIONS", "/v1/chat/completions | DELETE | POST, OPTIONS",
        "/v1/models | POST | GET, HEAD, OPTIONS", "/health | PUT | GET, HEAD, OPTIONS", "/health | TRACE | GET, HEAD, OPTIONS",
        "/ping | PATCH | GET, HEAD, POST, OPTIONS", "/v1/models/toy | POST | GET, HEAD, OPTIONS"})
    void namesTheMethodsOfARoute(String path, String method, String allowed) throws IOException {
        assertThat(ask(method + " " + path + " HTTP/1.1\r\n" + CLOSE + "\r\n")).startsWith("HTTP/1.1 405 ")
                .containsIgnoringCase("allow: " + allowed + "\r\n").contains("\"type\":\"MethodNotAllowedError\"");
        assertThat(ask("OPTIONS " + path + " HTTP/1.1\r\n" + CLOSE + "\r\n")).startsWith("HTTP/1.1 204 ")
                .containsIgnoringCase("allow: " + allowed + "\r\n").doesNotContainIgnoringCase("access-control");
    }

    @Test
    void answersHeadWithoutABody() throws IOException {
        String answer = ask("HEAD /version HTTP/1.1\r\n" + CLOSE + "\r\n");
        assertThat(answer).startsWith("HTTP/1.1 200 ").contains("content-length: 19\r\n").endsWith("\r\n\r\n");
    }

    @Test
    void knowsNoOtherPaths() {
        assertThat(server.get("/nowhere").error()).containsEntry("type", "NotFoundError").containsEntry("code", 404);
        assertThat(server.get("//v1/models").status()).isEqualTo(404);
        assertThat(server.get("/v1/models/").status()).isEqualTo(404);
        assertThat(server.get("/version?x=1").status()).as("a query changes nothing").isEqualTo(200);
    }

    @Test
    void acceptsAnAbsoluteTarget() throws IOException {
        assertThat(ask("GET http://localhost/version HTTP/1.1\r\n" + CLOSE + "\r\n")).startsWith("HTTP/1.1 200 ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"CONNECT localhost:80", "GET *", "GET /%", "GET /%zz", "GET /%ff", "GET /%00"})
    void findsNothingAtWhatIsNoPath(String line) throws IOException {
        assertThat(ask(line + " HTTP/1.1\r\n" + CLOSE + "\r\n")).matches("(?s)HTTP/1.1 4(00|04|05) .*");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "GET /version HTTP/1.1\r\n\r\n",
        "GET /version HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /version HTTP/1.1\nHost: localhost\n\n",
        "GET /version\r\nHost: localhost\r\n\r\n",
        "GET /version HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET /version HTTP/1.1\r\nHost: localhost\r\nX: a\u0000b\r\n\r\n",
        "GET /version HTTP/1.1\r\nHost: localhost\r\nX\u0001: b\r\n\r\n",
        "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n{}",
        "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\n{}",
        "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /tokenize HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n"})
    void refusesWhatTwoParsersMayReadDifferently(String request) throws IOException {
        assertThat(ask(request)).matches("(?s)HTTP/1.1 (400|505) .*").containsIgnoringCase("connection: close");
    }

    @Test
    void refusesOtherVersions() throws IOException {
        assertThat(ask("GET /version HTTP/3.7\r\n" + CLOSE + "\r\n")).startsWith("HTTP/1.1 505 ");
    }

    @Test
    void boundsLineAndHeaders() throws IOException {
        assertThat(ask("GET /" + "x".repeat(9000) + " HTTP/1.1\r\n" + CLOSE + "\r\n")).startsWith("HTTP/1.1 414 ");
        assertThat(ask("GET /version HTTP/1.1\r\n" + CLOSE + "X: " + "x".repeat(40_000) + "\r\n\r\n"))
                .startsWith("HTTP/1.1 431 ");
        assertThat(ask("GET /version HTTP/1.1\r\n" + CLOSE + "X: y\r\n".repeat(100) + "\r\n")).startsWith("HTTP/1.1 431 ");
        assertThat(ask("GET /version HTTP/1.1\r\n" + CLOSE + "X: y\r\n".repeat(90) + "\r\n")).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void keepsNothingOfAHeaderThatIsMuchTooLong() throws IOException {
        assertThat(ask("GET /version HTTP/1.1\r\n" + CLOSE + "X: " + "x".repeat(2 << 20) + "\r\n\r\n"))
                .startsWith("HTTP/1.1 431 ");
    }

    @Test
    void speaksNoOtherProtocolOnRequest() throws IOException {
        String upgrade = "GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: %s, close\r\nUpgrade: %s\r\n\r\n";
        assertThat(ask(upgrade.formatted("Upgrade", "websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")))
                .startsWith("HTTP/1.1 200 ");
        assertThat(ask(upgrade.formatted("Upgrade, HTTP2-Settings", "h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__")))
                .startsWith("HTTP/1.1 200 ");
    }

    @Test
    void closesConnectionsBeyondTheLimitAtOnce() throws IOException {
        FakeEngine other = new FakeEngine();
        try (TestServer narrow = new TestServer(other, Map.of(), TestLimits.with(l -> l.connections(3)))) {
            List<RawClient> open = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                RawClient client = new RawClient(narrow);
                client.send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
                client.until("\r\n\r\n");
                open.add(client);
            }
            try (RawClient late = new RawClient(narrow)) {
                assertThat(late.in.read()).as("closed without a word").isEqualTo(-1);
            }
            open.getFirst().send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assertThat(open.getFirst().until("200 OK")).as("those that are there stay").isNotEmpty();
            for (RawClient client : open) {
                client.close();
            }
        }
    }

    @Test
    void refusesABodyThatIsTooLongBeforeItComes() throws IOException {
        String head = "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
        assertThat(ask(head + "Content-Length: 1048577\r\n\r\n")).startsWith("HTTP/1.1 413 ");
        assertThat(ask(head + "Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n")).startsWith("HTTP/1.1 413 ");
        assertThat(ask(head + "Expect: something\r\nContent-Length: 2\r\n\r\n")).startsWith("HTTP/1.1 417 ");
    }

    @Test
    void refusesAnEndlessBody() throws IOException {
        try (RawClient client = new RawClient(server)) {
            client.send("POST /tokenize HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
            String chunk = "8000\r\n" + "x".repeat(0x8000) + "\r\n";
            for (int i = 0; i < 33; i++) {
                client.send(chunk);
            }
            assertThat(client.rest()).startsWith("HTTP/1.1 413 ");
        }
    }

    @Test
    void boundsAllBodiesTogether() throws IOException {
        try (TestServer narrow = new TestServer(new FakeEngine(), Map.of(), TestLimits.with(l -> l.allBodyBytes(1000)))) {
            Answer refused = narrow.post("/tokenize", " ".repeat(1100) + "{\"prompt\":\"x\"}");
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.header("retry-after")).isEqualTo("1");
            try (RawClient left = new RawClient(narrow)) {
                left.send("POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n" + " ".repeat(890));
            }
            Answer answer = refused;
            while (answer.status() == 503) {
                answer = narrow.post("/tokenize", " ".repeat(900) + "{\"prompt\":\"x\"}");
            }
            for (int i = 0; i < 10; i++) {
                answer = narrow.post("/tokenize", " ".repeat(900) + "{\"prompt\":\"x\"}");
                assertThat(answer.status()).as("room is given back").isEqualTo(200);
            }
        }
    }

    @Test
    void tellsAClientThatWaitsToGoOn() throws IOException {
        try (RawClient client = new RawClient(server)) {
            client.send("POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                    + "Content-Length: 14\r\n\r\n");
            client.until("HTTP/1.1 100 Continue\r\n\r\n");
            client.send("{\"prompt\":\"x\"}");
            assertThat(client.until("\r\n\r\n")).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void refusesCompressedAndOtherBodies() {
        var request = server.request("/v1/chat/completions").POST(HttpRequest.BodyPublishers.ofString(TestServer.chatBody("")));
        assertThat(
                server.send(request.copy().header("Content-Type", "application/json").header("Content-Encoding", "gzip").build())
                        .status())
                .isEqualTo(415);
        assertThat(server.send(request.copy().header("Content-Type", "text/plain").build()).message())
                .isEqualTo("Unsupported Media Type: Only 'application/json' is allowed.");
        assertThat(server.send(request.copy().build()).status()).isEqualTo(415);
        assertThat(server.send(request.copy().header("Content-Type", "application/json; charset=utf-8").build()).status())
                .isEqualTo(200);
    }

    @Test
    void refusesBytesThatAreNoUtf8() {
        byte[] body = "{\"prompt\":\"x\"}".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        body[11] = (byte) 0xC0;
        Answer answer = server.send(server.request("/tokenize").header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body)).build());
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.message()).isEqualTo("The body is not UTF-8: byte 11 does not begin a character.");
    }

    @Test
    void answersPipelinedRequestsInOrder() throws IOException {
        String body = TestServer.chatBody("\"max_tokens\":1");
        StringBuilder requests = new StringBuilder();
        for (int i = 0; i < 50; i++) {
            requests.append("GET /version HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: g").append(i).append("\r\n\r\n");
            requests.append(
                    "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Request-Id: p")
                    .append(i).append("\r\nContent-Length: ").append(body.length()).append("\r\n\r\n").append(body);
        }
        requests.append("GET /version HTTP/1.1\r\n" + CLOSE + "\r\n");
        String answers = ask(requests.toString());
        int at = 0;
        for (int i = 0; i < 50; i++) {
            at = answers.indexOf("X-Request-Id: g" + i + "\r\n", at);
            assertThat(at).isPositive();
            at = answers.indexOf("X-Request-Id: p" + i + "\r\n", at);
            assertThat(at).isPositive();
        }
    }

    @Test
    void answersAThousandPipelinedGets() throws IOException {
        String answers = ask(
                "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1000) + "GET /livez HTTP/1.1\r\n" + CLOSE + "\r\n");
        assertThat(answers.split("HTTP/1.1 200 OK", -1)).hasSize(1002);
    }

    @Test
    void keepsTheOrderWhenALaterRequestIsRefused() throws IOException {
        String body = TestServer.chatBody("");
        String answers = ask(
                "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                        + body.length() + "\r\n\r\n" + body + "nonsense\r\n\r\n");
        assertThat(answers).startsWith("HTTP/1.1 200 ");
        assertThat(answers.indexOf("HTTP/1.1 400 ")).isGreaterThan(answers.indexOf("chat.completion"));
    }

    @Test
    void speaksToOldClients() throws IOException {
        assertThat(ask("GET /version HTTP/1.0\r\n\r\n")).startsWith("HTTP/1.1 200 ");
        String body = TestServer.chatBody("\"stream\":true");
        String stream = ask(
                "POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: " + body.length()
                        + "\r\n\r\n" + body);
        assertThat(stream).doesNotContainIgnoringCase("chunked").endsWith("data: [DONE]\n\n");
    }

    @Test
    void doesNotWaitForeverForAHeader() throws IOException {
        try (TestServer hurried = new TestServer(new FakeEngine(), Map.of(), TestLimits.with(l -> l.header(50)))) {
            assertThat(RawClient.ask(hurried, "GET /version HT")).startsWith("HTTP/1.1 408 ");
            assertThat(RawClient.ask(hurried, "")).startsWith("HTTP/1.1 408 ");
        }
    }

    @Test
    void doesNotWaitForeverForABody() throws IOException {
        try (TestServer hurried = new TestServer(new FakeEngine(), Map.of(), TestLimits.with(l -> l.bodyIdle(50)))) {
            assertThat(RawClient.ask(hurried, "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"))
                    .startsWith("HTTP/1.1 408 ");
        }
    }

    @Test
    void endsAConnectionThatNobodyUses() throws IOException {
        try (TestServer hurried = new TestServer(new FakeEngine(), Map.of(), TestLimits.with(l -> l.idle(50)))) {
            assertThat(RawClient.ask(hurried, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void silentConnectionsGiveWayToOthersOfTheirAddress() throws IOException {
        int tooMany = 20;
        List<RawClient> silent = new ArrayList<>();
        for (int i = 0; i < TestServer.LIMITS.silentPerAddress() + tooMany; i++) {
            RawClient client = new RawClient(server);
            client.socket.setSoTimeout(1);
            silent.add(client);
        }
        assertThat(server.get("/livez").status()).isEqualTo(200);
        int closed = 0;
        while (closed < tooMany) {
            for (RawClient client : List.copyOf(silent)) {
                try {
                    assertThat(client.in.read()).as("closed without a word").isEqualTo(-1);
                    silent.remove(client);
                    closed++;
                } catch (SocketTimeoutException open) {
                    // This one is still there.
                }
            }
        }
        assertThat(closed).isLessThanOrEqualTo(tooMany + 1);
        for (RawClient client : silent) {
            client.close();
        }
    }

    @Test
    void numbersTheEventsOfAStreamIfItIsToldTo() throws IOException {
        String body = TestServer.chatBody("\"stream\":true,\"max_tokens\":2");
        String request = "POST /v1/chat/completions HTTP/1.1\r\n" + CLOSE + "Content-Type: application/json\r\nContent-Length: "
                + body.length() + "\r\n\r\n" + body;
        try (TestServer numbering = new TestServer(new FakeEngine(), Map.of(), TestServer.LIMITS.numberingEvents(true))) {
            assertThat(RawClient.ask(numbering, request))
                    .containsSubsequence("data: {", "}\nid: 1\n\n", "data: {", "}\nid: 2\n\n",
                            "data: [DONE]\n\n")
                    .containsIgnoringCase("content-type: text/event-stream; charset=utf-8\r\n")
                    .containsIgnoringCase("cache-control: no-cache\r\n").containsIgnoringCase("x-accel-buffering: no\r\n");
        }
        assertThat(ask(request)).as("clients that know nothing of it see none").doesNotContain("\nid:");
    }
}
