package org.maniple.kernel.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.maniple.api.ManipleException;

/** Against a server that answers what each test says. */
class ServeBenchTest {

    private static final String ANSWER = """
            data: {"choices":[{"index":0,"text":"a","finish_reason":null}]}

            data: {"choices":[{"index":0,"text":"b","finish_reason":null}]}

            data: {"choices":[{"index":0,"text":"","finish_reason":"length"}]}

            data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}

            data: [DONE]

            """;

    private final List<String> bodies = new CopyOnWriteArrayList<>();
    private HttpServer server;
    private volatile Responder responder = exchange -> send(exchange, 200, ANSWER);

    private interface Responder {
        void answer(HttpExchange exchange) throws IOException;
    }

    ServeBenchTest() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    }

    @BeforeEach
    void start() {
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/v1/models", exchange -> send(exchange, 200, "{\"data\":[{\"id\":\"demo\"}]}"));
        server.createContext("/v1/completions", exchange -> {
            bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            responder.answer(exchange);
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private static void send(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private LoadPlan plan(int requests) {
        return new LoadPlan(URI.create("http://127.0.0.1:" + server.getAddress().getPort()), Optional.empty(), Optional.empty(),
                new LoadPlan.Pace.Clients(1), requests, 0, 3, 2, 10, 20, 0, Duration.ofSeconds(20));
    }

    private LoadResult run(LoadPlan.Pace pace, int requests) throws InterruptedException {
        try (var bench = new ServeBench(plan(requests), text -> {})) {
            return bench.run(pace, bench.model());
        }
    }

    @Test
    void theModelIsTheServersFirst() throws InterruptedException {
        try (var bench = new ServeBench(plan(1), text -> {})) {
            assertThat(bench.model()).isEqualTo("demo");
        }
    }

    @Test
    void tokensAreCountedByTheServerAndTimedByTheirParts() throws InterruptedException {
        LoadResult result = run(new LoadPlan.Pace.Clients(1), 3);

        assertThat(result.failures()).isEmpty();
        assertThat(result.tokens()).isEqualTo(6);
        assertThat(result.betweenTokens()).hasValueSatisfying(between -> assertThat(between.values()).hasSize(3));
        assertThat(bodies).hasSize(3).allSatisfy(body -> assertThat(body).contains("\"model\":\"demo\"", "\"max_tokens\":2",
                "\"ignore_eos\":true", "\"stream\":true"));
    }

    @Test
    void clientsAskAtTheSameTime() throws InterruptedException {
        var together = new CyclicBarrier(4);
        responder = exchange -> {
            try {
                together.await(10, TimeUnit.SECONDS);
            } catch (Exception e) {
                send(exchange, 500, "alone");
                return;
            }
            send(exchange, 200, ANSWER);
        };

        assertThat(run(new LoadPlan.Pace.Clients(4), 8).failures()).isEmpty();
    }

    @Test
    void anOpenLoopDoesNotWaitForAnswers() throws InterruptedException {
        var together = new CyclicBarrier(3);
        responder = exchange -> {
            try {
                together.await(10, TimeUnit.SECONDS);
            } catch (Exception e) {
                send(exchange, 500, "alone");
                return;
            }
            send(exchange, 200, ANSWER);
        };

        LoadResult result = run(new LoadPlan.Pace.Rate(200), 3);

        assertThat(result.failures()).isEmpty();
        assertThat(result.requests()).isEqualTo(3);
    }

    @Test
    void whatFailsIsCountedWithItsReason() throws InterruptedException {
        responder = exchange -> send(exchange, 503, "draining");
        assertThat(run(new LoadPlan.Pace.Clients(1), 2).failures()).containsEntry("status 503: draining", 2);

        responder = exchange -> send(exchange, 200, "data: {\"error\":{\"message\":\"rank 1 is lost\"}}\n\n");
        assertThat(run(new LoadPlan.Pace.Clients(1), 1).failures().keySet())
                .singleElement().asString().contains("rank 1 is lost");

        responder = exchange -> send(exchange, 200, "data: [DONE]\n\n");
        assertThat(run(new LoadPlan.Pace.Clients(1), 1).failures()).containsEntry("the stream ended without a token", 1);
    }

    @Test
    void aServerThatIsNotThereIsSaidWithWhatToDo() {
        LoadPlan nowhere = plan(1);
        server.stop(0);
        try (var bench = new ServeBench(nowhere, text -> {})) {
            assertThatThrownBy(bench::model).isInstanceOf(ManipleException.class)
                    .hasMessageContaining("no server answers at " + nowhere.url()).hasMessageContaining("--url");
        }
    }
}
