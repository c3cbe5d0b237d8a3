package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest.BodyPublishers;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.serve.openai.TestServer.Answer;

/** Requests for one data-parallel group. */
class PinnedGroupTest {

    private final FakeEngine engine = new FakeEngine();
    private final TestServer server = new TestServer(engine);

    @AfterEach
    void close() {
        server.close();
    }

    private Answer ask(String path, String group, String body) {
        return server.send(server.request(path).header("X-data-parallel-rank", group).header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body)).build());
    }

    private OptionalInt asked() {
        return engine.submitted.remove().request().home();
    }

    @Test
    void theHeaderOrTheFieldNamesTheGroup() {
        assertThat(ask("/v1/chat/completions", "3", TestServer.chatBody("")).status()).isEqualTo(200);
        assertThat(asked()).hasValue(3);
        assertThat(ask("/v1/completions", " 0 ", "{\"prompt\":[1],\"n\":2}").status()).isEqualTo(200);
        assertThat(asked()).hasValue(0);
        assertThat(asked()).hasValue(0);
        assertThat(server.chat("\"routed_dp_rank\":1").status()).isEqualTo(200);
        assertThat(asked()).hasValue(1);
    }

    @Test
    void withoutThemTheEngineChooses() {
        assertThat(server.chat("").status()).isEqualTo(200);
        assertThat(asked()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "1.5", "two", "1,2", "", "99999999999"})
    void aHeaderThatIsNoNumberIsRefused(String group) {
        Answer answer = ask("/v1/completions", group, "{\"prompt\":[1]}");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.message()).isEqualTo(
                "The header `X-data-parallel-rank` must be the number of a data-parallel group, from 0, got [" + group + "].");
        assertThat(engine.submitted).isEmpty();
    }

    @Test
    void headerAndFieldMustAgree() {
        assertThat(ask("/v1/chat/completions", "1", TestServer.chatBody("\"routed_dp_rank\":1")).status()).isEqualTo(200);
        Answer answer = ask("/v1/chat/completions", "1", TestServer.chatBody("\"routed_dp_rank\":2"));
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.error()).containsEntry("param", "routed_dp_rank");
    }
}
