package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.maniple.api.engine.GenerationEvent.FinishReason;
import org.maniple.api.engine.GenerationEvent.Finished;
import org.maniple.api.engine.GenerationEvent.Tokens;
import org.maniple.serve.openai.FakeEngine.Running;
import org.maniple.serve.openai.TestServer.Answer;

/** Requests that do not simply run to their end. */
@Timeout(60)
class LifecycleTest {

    private final FakeEngine engine = new FakeEngine();
    private final TestServer server = new TestServer(engine);

    @AfterEach
    void close() {
        server.close();
    }

    private static String post(String body) {
        return "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                + body.length()
                + "\r\n\r\n" + body;
    }

    private Running theRequest() throws InterruptedException {
        while (engine.submitted.isEmpty()) {
            Thread.onSpinWait();
        }
        return engine.submitted.element();
    }

    @Test
    void aClientThatLeavesAStreamEndsItsRequest() throws Exception {
        engine.behaviour = engine::hang;
        RawClient client = new RawClient(server);
        client.send(post(TestServer.chatBody("\"stream\":true")));
        client.until("\"content\":\"a\"");
        client.close();
        assertThat(theRequest().cancelled().await(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aClientThatDoesNotWaitForItsAnswerEndsItsRequest() throws Exception {
        engine.behaviour = engine::hang;
        RawClient client = new RawClient(server);
        client.send(post(TestServer.chatBody("\"n\":3")));
        while (engine.submitted.size() < 3) {
            Thread.onSpinWait();
        }
        client.close();
        for (Running running : engine.submitted) {
            assertThat(running.cancelled().await(20, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void anEngineThatDiesIsAnError() {
        engine.behaviour = engine::die;
        Answer answer = server.chat("");
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.error().toString()).isEqualTo(
                "{message=rank 2 on node-b is gone: connection closed, type=EngineDeadError, param=null, code=503}");
    }

    @Test
    void anEngineThatDiesEndsAStreamWithAnErrorEvent() {
        engine.behaviour = engine::die;
        Answer answer = server.chat("\"stream\":true");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.chunks().getLast().error().toString()).isEqualTo(
                "{message=rank 2 on node-b is gone: connection closed, type=EngineDeadError, param=null, code=503}");
    }

    @Test
    void aRequestCanBeAbortedByItsId() throws Exception {
        engine.behaviour = engine::hang;
        for (String name : List.of("mine", "chatcmpl-mine")) {
            engine.submitted.clear();
            CompletableFuture<Answer> asked = CompletableFuture.supplyAsync(() -> server.chat("\"request_id\":\"mine\""));
            theRequest();
            assertThat(server.post("/abort_request", "{\"rid\":\"" + name + "\"}").json().toString()).isEqualTo("{aborted=1}");
            Answer answer = asked.get(20, TimeUnit.SECONDS);
            assertThat(answer.at("choices.0.finish_reason")).isEqualTo("abort");
            assertThat(answer.at("choices.0.message.content")).isEqualTo("a");
        }
        assertThat(server.post("/abort_request", "{\"rid\":\"mine\"}").json().toString()).isEqualTo("{aborted=0}");
        assertThat(server.post("/abort_request", "{}").error()).containsEntry("param", "rid");
    }

    @Test
    void allRequestsCanBeAborted() throws Exception {
        engine.behaviour = engine::hang;
        CompletableFuture<Answer> asked = CompletableFuture.supplyAsync(() -> server.chat("\"stream\":true"));
        theRequest();
        assertThat(server.post("/abort_request", "{\"abort_all\":true}").json().toString()).isEqualTo("{aborted=1}");
        assertThat(asked.get(20, TimeUnit.SECONDS).chunks().getLast().at("choices.0.finish_reason")).isEqualTo("abort");
    }

    @Test
    void anIdThatIsInUseGetsAnEnding() throws Exception {
        engine.behaviour = engine::hang;
        CompletableFuture<Answer> first = CompletableFuture.supplyAsync(() -> server.chat("\"request_id\":\"same\""));
        theRequest();
        engine.behaviour = engine::say;
        assertThat((String) server.chat("\"request_id\":\"same\"").at("id")).matches("chatcmpl-same-[0-9a-f]+");
        engine.submitted.element().cancel();
        assertThat(first.get(20, TimeUnit.SECONDS).at("id")).isEqualTo("chatcmpl-same");
        assertThat(engine.submitted.stream().map(running -> running.request().id()).distinct()).hasSize(2);
    }

    @Test
    void aDrainingServerFinishesWhatRunsAndTakesNothingNew() throws Exception {
        CountDownLatch goOn = new CountDownLatch(1);
        engine.behaviour = running -> {
            goOn.await();
            engine.say(running);
        };
        CompletableFuture<Answer> running = CompletableFuture.supplyAsync(() -> server.chat(""));
        theRequest();
        server.serving.drain("rank 0 was told to stop");
        Answer health = server.get("/health");
        assertThat(health.status()).isEqualTo(503);
        assertThat(health.at("reasons")).isEqualTo(List.of("rank 0 was told to stop"));
        Answer refused = server.chat("");
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.message()).isEqualTo("No new requests are taken: rank 0 was told to stop");
        assertThat(refused.header("connection")).isEqualTo("close");
        assertThat(refused.header("retry-after")).isEqualTo("5");
        assertThat(server.get("/v1/models").status()).isEqualTo(200);
        goOn.countDown();
        assertThat(running.get(20, TimeUnit.SECONDS).at("choices.0.message.content")).isEqualTo(FakeEngine.SAYS);
    }

    @Test
    void aReaderThatIsTooFarBehindIsCutOff() throws Exception {
        engine.behaviour = running -> {
            String text = "x".repeat(1000);
            for (int i = 0; i < 1_000_000 && !running.isCancelled(); i++) {
                running.listener().accept(new Tokens(List.of(1), text, List.of()));
            }
            running.listener().accept(new Finished(FinishReason.ABORT, Optional.empty(), "", 1, 1));
        };
        try (RawClient stuck = new RawClient(server)) {
            stuck.send(post(TestServer.chatBody("\"stream\":true")));
            assertThat(theRequest().cancelled().await(30, TimeUnit.SECONDS)).isTrue();
            engine.behaviour = engine::say;
            assertThat(server.chat("").status()).as("others are not affected").isEqualTo(200);
        }
    }

    @Test
    void aReaderThatTakesNothingForTooLongIsCutOff() throws Exception {
        FakeEngine endless = new FakeEngine();
        endless.behaviour = running -> {
            // More than fits into the buffers of the sockets, and fewer pieces than may wait.
            for (int i = 0; i < 4000; i++) {
                running.listener().accept(new Tokens(List.of(1), "x".repeat(4000), List.of()));
            }
            running.cancelled().await();
        };
        HttpLimits limits = TestLimits.with(l -> l.writeStall(50));
        try (TestServer other = new TestServer(endless, java.util.Map.of(), limits); RawClient stuck = new RawClient(other)) {
            stuck.send(post(TestServer.chatBody("\"stream\":true")));
            while (endless.submitted.isEmpty()) {
                Thread.onSpinWait();
            }
            assertThat(endless.submitted.element().cancelled().await(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void aClientThatClosesItsHalfCountsAsGone() throws Exception {
        engine.behaviour = engine::hang;
        try (RawClient half = new RawClient(server)) {
            half.send(post(TestServer.chatBody("")));
            Running running = theRequest();
            half.socket.shutdownOutput();
            assertThat(running.cancelled().await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(half.rest()).isEmpty();
        }
    }

    @Test
    void severalRequestsCanBeAbortedByTheirIds() throws Exception {
        engine.behaviour = engine::hang;
        CompletableFuture<Answer> asked = CompletableFuture.supplyAsync(() -> server.chat("\"request_id\":\"mine\""));
        theRequest();
        assertThat(server.post("/abort_requests", "{\"request_ids\":[\"other\",\"mine\"]}").json().toString())
                .isEqualTo("{aborted=1}");
        assertThat(asked.get(20, TimeUnit.SECONDS).at("choices.0.finish_reason")).isEqualTo("abort");
    }

    @Test
    void aSlowReaderGetsEverything() throws Exception {
        int pieces = 3000;
        engine.behaviour = running -> {
            for (int i = 0; i < pieces; i++) {
                running.listener().accept(new Tokens(List.of(1), "x".repeat(1000), List.of()));
            }
            running.listener().accept(new Finished(FinishReason.STOP, Optional.empty(), "", 1, pieces));
        };
        try (RawClient slow = new RawClient(server)) {
            slow.send(post(TestServer.chatBody("\"stream\":true")).replace("Host", "Connection: close\r\nHost"));
            theRequest();
            String answer = slow.rest();
            assertThat(answer.split("xxxx\"", -1)).hasSize(pieces + 1);
            assertThat(answer).contains("data: [DONE]\n\n");
        }
    }

    @Test
    void aSilentStreamGetsComments() throws Exception {
        HttpLimits limits = TestLimits.with(l -> l.keepAlive(20));
        FakeEngine silent = new FakeEngine();
        silent.behaviour = silent::hang;
        try (TestServer other = new TestServer(silent, java.util.Map.of(), limits); RawClient client = new RawClient(other)) {
            client.send(post(TestServer.chatBody("\"stream\":true")));
            client.until(": keep-alive\n\n");
        }
    }

    @Test
    void closingEndsWhatStillRuns() throws Exception {
        engine.behaviour = engine::hang;
        try (RawClient client = new RawClient(server)) {
            client.send(post(TestServer.chatBody("\"stream\":true")));
            client.until("\"content\":\"a\"");
            server.serving.close();
            assertThat(theRequest().cancelled().await(20, TimeUnit.SECONDS)).isTrue();
            client.rest();
        } catch (IOException reset) {
            // The end of the connection may also show as a reset.
        }
    }
}
