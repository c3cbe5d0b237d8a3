package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.maniple.api.ManipleException;
import org.maniple.serve.openai.TestServer.Answer;

/** What a client may have at the same time, and what it may not have twice. */
@Timeout(60)
class QuotaTest {

    @TempDir
    private Path folder;

    private final FakeEngine engine = new FakeEngine();

    private TestServer server(Map<String, Object> settings) {
        return new TestServer(engine, settings, TestServer.LIMITS);
    }

    private static HttpRequest chat(TestServer server, String header, String value) {
        return server.request("/v1/chat/completions").header("Content-Type", "application/json").header(header, value)
                .POST(HttpRequest.BodyPublishers.ofString(TestServer.chatBody(""))).build();
    }

    private static Answer ask(TestServer server, String key) {
        return server.send(chat(server, "Authorization", "Bearer " + key));
    }

    private void awaitRequests(int count) throws InterruptedException {
        while (engine.submitted.size() < count) {
            Thread.sleep(2);
        }
    }

    @Test
    void aKeyHasSoManyRequestsAtTheSameTimeAndNoMore() throws Exception {
        Path keys = Files.writeString(folder.resolve("keys"), "one\ntwo max-requests=2\n");
        try (TestServer server = server(Map.of("api-key-file", keys.toString(), "max-requests-per-key", 1))) {
            engine.behaviour = engine::hang;
            CompletableFuture<Answer> first = CompletableFuture.supplyAsync(() -> ask(server, "one"));
            awaitRequests(1);
            Answer refused = ask(server, "one");
            assertThat(refused.status()).isEqualTo(429);
            assertThat(refused.header("retry-after")).isEqualTo("1");
            assertThat(refused.header("retry-after-ms")).isEqualTo("1000");
            assertThat(refused.error()).containsEntry("type", "RateLimitError").containsEntry("message",
                    "This key has 1 requests running, as many as it may have at the same time; try again when one of them has ended.");
            CompletableFuture<Answer> second = CompletableFuture.supplyAsync(() -> ask(server, "two"));
            CompletableFuture<Answer> third = CompletableFuture.supplyAsync(() -> ask(server, "two"));
            awaitRequests(3);
            assertThat(ask(server, "two").status()).isEqualTo(429);
            engine.submitted.forEach(running -> running.cancel());
            for (CompletableFuture<Answer> each : List.of(first, second, third)) {
                assertThat(each.get(20, TimeUnit.SECONDS).status()).isEqualTo(200);
            }
            engine.behaviour = engine::say;
            assertThat(ask(server, "one").status()).as("there is room again").isEqualTo(200);
        }
    }

    @Test
    void whoeverLeavesMakesRoom() throws Exception {
        try (TestServer server = server(Map.of("api-key", "one", "max-requests-per-key", 1))) {
            engine.behaviour = engine::hang;
            String body = TestServer.chatBody("");
            RawClient leaving = new RawClient(server);
            leaving.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer one\r\n"
                    + "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
            awaitRequests(1);
            assertThat(ask(server, "one").status()).isEqualTo(429);
            leaving.close();
            engine.behaviour = engine::say;
            Answer answer = ask(server, "one");
            while (answer.status() == 429) {
                Thread.sleep(5);
                answer = ask(server, "one");
            }
            assertThat(answer.status()).isEqualTo(200);
        }
    }

    @Test
    void aRequestIsNotComputedTwiceAtTheSameTime() throws Exception {
        try (TestServer server = server(Map.of())) {
            engine.behaviour = engine::hang;
            CompletableFuture<Answer> first = CompletableFuture
                    .supplyAsync(() -> server.send(chat(server, "Idempotency-Key", "a-1")));
            awaitRequests(1);
            Answer clash = server.send(chat(server, "Idempotency-Key", "a-1"));
            assertThat(clash.status()).isEqualTo(409);
            assertThat(clash.error()).containsEntry("type", "ConflictError");
            assertThat(clash.message()).startsWith("A request with the Idempotency-Key [a-1] is still being answered");
            engine.submitted.element().cancel();
            assertThat(first.get(20, TimeUnit.SECONDS).status()).isEqualTo(200);
            engine.behaviour = engine::say;
            assertThat(server.send(chat(server, "Idempotency-Key", "a-1")).status()).as("the first one has ended").isEqualTo(200);
            assertThat(server.send(chat(server, "Idempotency-Key", "x".repeat(256))).error()).containsEntry("param",
                    "Idempotency-Key");
        }
    }

    @Test
    void aFileOfKeysIsReadAgainWhenItHasChanged() throws Exception {
        Path keys = Files.writeString(folder.resolve("keys"), "old\n");
        try (TestServer server = server(Map.of("api-key", "fixed", "api-key-file", keys.toString()))) {
            assertThat(ask(server, "new").status()).isEqualTo(401);
            replace(keys, "new\n");
            awaitStatus(server, "new", 200);
            assertThat(ask(server, "old").status()).isEqualTo(401);
            assertThat(ask(server, "fixed").status()).isEqualTo(200);
            replace(keys, "# nothing\n");
            Thread.sleep(300);
            assertThat(ask(server, "new").status()).as("a file without keys opens nothing and closes nothing").isEqualTo(200);
            assertThat(server.get("/v1/models").status()).isEqualTo(401);
            Files.delete(keys);
            Thread.sleep(300);
            assertThat(ask(server, "new").status()).isEqualTo(200);
        }
    }

    @Test
    void aLineWithSomethingElseAfterTheKeyIsAMistake() throws IOException {
        for (String rest : new String[] {"max-requests=0", "max-requests", "models=a", "max-requests=1 x"}) {
            Path keys = Files.writeString(folder.resolve("bad"), "key " + rest + "\n");
            assertThatThrownBy(() -> server(Map.of("api-key-file", keys.toString()))).isInstanceOf(ManipleException.class)
                    .hasMessageContaining("nothing may follow but max-requests=N");
        }
    }

    private void replace(Path file, String content) throws IOException {
        Path fresh = Files.writeString(folder.resolve("fresh"), content);
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static void awaitStatus(TestServer server, String key, int status) throws InterruptedException {
        long end = System.nanoTime() + 30_000_000_000L;
        while (ask(server, key).status() != status && System.nanoTime() < end) {
            Thread.sleep(100);
        }
        assertThat(ask(server, key).status()).isEqualTo(status);
    }
}
