package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.maniple.serve.openai.TestServer.Answer;

/** How long requests may take. */
@Timeout(60)
class TimeLimitsTest {

    private final FakeEngine engine = new FakeEngine();
    private TestServer server = new TestServer(engine);

    @AfterEach
    void close() {
        server.close();
    }

    private void limit(String option, long millis) {
        server.serving.close();
        server = new TestServer(engine, Map.of(option, Duration.ofMillis(millis)), TestServer.LIMITS);
    }

    private void assertCancelled() throws InterruptedException {
        assertThat(engine.submitted.element().cancelled().await(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void aRequestThatTakesTooLongEndsAndIsNotTriedAgain() throws Exception {
        limit("request-timeout", 100);
        engine.behaviour = engine::hang;
        Answer answer = server.chat("");
        assertThat(answer.status()).isEqualTo(504);
        assertThat(answer.error()).containsEntry("type", "GatewayTimeoutError");
        assertThat(answer.message()).isEqualTo("The request took longer than 0.1 s, which is all the time that it, or this server"
                + " (request-timeout), gives it.");
        assertThat(answer.header("x-should-retry")).isEqualTo("false");
        assertCancelled();
        engine.behaviour = engine::say;
        assertThat(server.chat("").status()).isEqualTo(200);
    }

    @Test
    void aStreamThatTakesTooLongEndsWithAnErrorEvent() throws Exception {
        limit("request-timeout", 100);
        engine.behaviour = engine::hang;
        List<Answer> chunks = server.chat("\"stream\":true").chunks();
        assertThat(chunks.get(1).at("choices.0.delta.content")).isEqualTo("a");
        assertThat(chunks.getLast().error()).containsEntry("code", 504);
        assertCancelled();
    }

    @Test
    void aClientMayGiveLessTime() {
        limit("request-timeout", 40_000);
        engine.behaviour = engine::hang;
        assertThat(server.chat("\"timeout\":0.05").message()).startsWith("The request took longer than 0.05 s");
        assertThat(server.complete("\"prompt\":\"x\",\"timeout\":0.05").status()).isEqualTo(504);
        assertThat(server.chat("\"timeout\":0").error()).containsEntry("param", "timeout");
        engine.behaviour = engine::say;
        assertThat(server.chat("\"timeout\":600").status()).as("more than there is changes nothing").isEqualTo(200);
    }

    @Test
    void aRequestThatWaitsTooLongForItsFirstTokenIsToComeAgain() throws Exception {
        limit("first-token-timeout", 100);
        engine.behaviour = running -> running.cancelled().await();
        Answer answer = server.chat("");
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.header("retry-after")).isEqualTo("5");
        assertThat(answer.message())
                .isEqualTo("The request had no token within 0.1 s (first-token-timeout): there is too much to do;"
                        + " try again later.");
        assertCancelled();
    }

    @Test
    void aRequestThatHasBegunMayTakeItsTime() throws Exception {
        limit("first-token-timeout", 200);
        engine.behaviour = running -> {
            engine.hang(running);
        };
        Thread.ofVirtual().start(() -> {
            try {
                Thread.sleep(600);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            engine.submitted.forEach(running -> running.cancel());
        });
        assertThat(server.chat("").at("choices.0.finish_reason")).isEqualTo("abort");
    }

    @Test
    void aStepThatStandsStillMakesTheServerUnready() {
        limit("step-timeout", 2000);
        engine.stepAge = Optional.of(Duration.ofMillis(1500));
        assertThat(server.get("/readyz").at("step_age_seconds")).isEqualTo(1.5);
        assertThat(server.get("/health").status()).isEqualTo(200);
        engine.stepAge = Optional.of(Duration.ofMillis(9500));
        for (String path : List.of("/health", "/readyz", "/ready", "/health/ready")) {
            Answer answer = server.get(path);
            assertThat(answer.status()).isEqualTo(503);
            assertThat(answer.at("reasons.0"))
                    .isEqualTo("the step that runs has taken 9 s so far; it may take 2 s (step-timeout)");
        }
        assertThat(server.get("/livez").status()).isEqualTo(200);
        engine.stepAge = Optional.empty();
        assertThat(server.get("/ready").json()).containsEntry("step_age_seconds", null).containsEntry("ready", true);
    }
}
