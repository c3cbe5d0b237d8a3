package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.maniple.serve.openai.TestServer.Answer;

/** A unit that was started with {@code skip-tokenizer-init}. */
class WithoutTokenizerTest {

    private final FakeEngine engine = new FakeEngine(false, Map.of());
    private final TestServer server = new TestServer(engine);

    @AfterEach
    void close() {
        server.close();
    }

    @Test
    void continuesTokenIdsWithTokenIds() {
        Answer answer = server.complete("\"prompt\":[1,2],\"max_tokens\":2,\"return_token_ids\":true");
        assertThat(answer.at("choices.0.text")).isEqualTo("");
        assertThat(answer.at("choices.0.token_ids")).isEqualTo(List.of(71, 114));
    }

    @Test
    void streamsTokenIds() {
        List<Answer> chunks = server.complete("\"prompt\":[1,2],\"max_tokens\":2,\"return_token_ids\":true,\"stream\":true")
                .chunks();
        assertThat(chunks.stream().flatMap(chunk -> ((List<?>) chunk.at("choices.0.token_ids")).stream()).toList())
                .isEqualTo(List.of(71, 114));
    }

    @Test
    void namesTokensByIdInLogprobs() {
        Answer answer = server.complete("\"prompt\":[1,2],\"max_tokens\":1,\"logprobs\":1");
        assertThat(answer.at("choices.0.logprobs.tokens")).isEqualTo(List.of("token_id:71"));
        assertThat(answer.at("choices.0.logprobs.top_logprobs").toString()).isEqualTo("[{token_id:71=-0.5}]");
    }

    @Test
    void saysHowToChat() {
        Answer answer = server.chat("");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.message())
                .isEqualTo("This server runs without a tokenizer (skip-tokenizer-init), so it cannot read a chat; send"
                        + " token ids as `prompt` to /v1/completions, or start it with the tokenizer.");
    }

    @Test
    void refusesWhatNeedsText() {
        assertThat(server.complete("\"prompt\":\"Hi\"").message()).contains("must be token ids");
        assertThat(server.complete("\"prompt\":[1],\"stop\":\"x\"").message()).contains("`stop` needs a tokenizer");
        assertThat(server.complete("\"prompt\":[1],\"bad_words\":[\"x\"]").message()).contains("`bad_words` needs a tokenizer");
        assertThat(server.post("/tokenize", "{\"prompt\":\"x\"}").status()).isEqualTo(400);
        assertThat(server.post("/detokenize", "{\"tokens\":[1]}").status()).isEqualTo(400);
    }
}
