package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.serve.openai.TestServer.Answer;

class CompletionTest {

    private final FakeEngine engine = new FakeEngine();
    private final TestServer server = new TestServer(engine);

    @AfterEach
    void close() {
        server.close();
    }

    private int[] prompt(int index) {
        return List.copyOf(engine.submitted).get(index).request().prompt();
    }

    @Test
    void answersWithEveryFieldThatClientsKnow() {
        Answer answer = server.complete("\"prompt\":\"Hi\",\"max_tokens\":50");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json().keySet()).containsExactly("id", "object", "created", "model", "choices", "usage",
                "kv_transfer_params",
                "system_fingerprint", "service_tier");
        assertThat((String) answer.at("id")).matches("cmpl-[0-9a-f]{32}");
        assertThat(answer.at("object")).isEqualTo("text_completion");
        assertThat(answer.at("choices.0").toString()).isEqualTo("{index=0, text=" + FakeEngine.SAYS + ", logprobs=null,"
                + " finish_reason=stop, stop_reason=null, token_ids=null, prompt_token_ids=null, prompt_logprobs=null}");
        assertThat(answer.at("usage").toString())
                .isEqualTo("{prompt_tokens=3, total_tokens=24, completion_tokens=21, prompt_tokens_details=null}");
    }

    @Test
    void generatesSixteenTokensIfNoLimitIsGiven() {
        server.complete("\"prompt\":\"Hi\"");
        assertThat(engine.submitted.element().request().sampling().maxTokens()).isEqualTo(OptionalInt.of(16));
    }

    @Test
    void takesAText() {
        server.complete("\"prompt\":\"Hi\"");
        assertThat(prompt(0)).containsExactly(ByteCodec.BEGIN, 72, 105);
    }

    @Test
    void takesATextWithoutTheTokensAroundIt() {
        server.complete("\"prompt\":\"Hi\",\"add_special_tokens\":false");
        assertThat(prompt(0)).containsExactly(72, 105);
    }

    @Test
    void takesTexts() {
        Answer answer = server.complete("\"prompt\":[\"a\",\"b\"],\"n\":2,\"max_tokens\":1");
        assertThat(engine.submitted).hasSize(4);
        assertThat(prompt(1)).isEqualTo(prompt(0)).containsExactly(ByteCodec.BEGIN, 97);
        assertThat(prompt(3)).containsExactly(ByteCodec.BEGIN, 98);
        assertThat((List<?>) answer.at("choices")).hasSize(4);
        assertThat(answer.at("choices.3.index")).isEqualTo(3);
        assertThat(answer.at("usage.prompt_tokens")).isEqualTo(4);
    }

    @Test
    void takesTokenIds() {
        server.complete("\"prompt\":[1,2,3]");
        assertThat(prompt(0)).containsExactly(1, 2, 3);
    }

    @Test
    void takesListsOfTokenIds() {
        server.complete("\"prompt\":[[1,2],[3]]");
        assertThat(prompt(0)).containsExactly(1, 2);
        assertThat(prompt(1)).containsExactly(3);
    }

    @Test
    void streamsTheTextThatItWouldHaveAnswered() {
        Answer answer = server
                .complete("\"prompt\":\"Hi\",\"max_tokens\":50,\"stream\":true,\"stream_options\":{\"include_usage\":true}");
        List<Answer> chunks = answer.chunks();
        assertThat(chunks.getFirst().at("object")).isEqualTo("text_completion");
        assertThat(((Map<?, ?>) chunks.getFirst().at("choices.0")).keySet().toString())
                .isEqualTo("[index, text, logprobs, finish_reason, stop_reason]");
        assertThat(chunks.getLast().at("usage").toString()).isEqualTo("{prompt_tokens=3, total_tokens=24, completion_tokens=21}");
        assertThat(chunks.subList(0, chunks.size() - 1).stream().map(chunk -> (String) chunk.at("choices.0.text"))
                .collect(Collectors.joining())).isEqualTo(FakeEngine.SAYS);
        assertThat(chunks.get(chunks.size() - 2).at("choices.0.finish_reason")).isEqualTo("stop");
    }

    @Test
    void echoesThePrompt() {
        assertThat(server.complete("\"prompt\":\"Hi \",\"echo\":true,\"max_tokens\":1").at("choices.0.text")).isEqualTo("Hi G");
        assertThat(server.complete("\"prompt\":[72,105],\"echo\":true,\"max_tokens\":1").at("choices.0.text")).isEqualTo("HiG");
        assertThat(server.complete("\"prompt\":\"Hi \",\"echo\":true,\"max_tokens\":1,\"stream\":true").chunks().getFirst()
                .at("choices.0.text")).isEqualTo("Hi ");
    }

    @Test
    void showsLogprobsByToken() {
        Answer answer = server.complete("\"prompt\":\"Hi\",\"logprobs\":1,\"max_tokens\":2");
        assertThat(answer.at("choices.0.logprobs").toString())
                .isEqualTo("{text_offset=[0, 1], token_logprobs=[-0.5, -0.5], tokens=[G, r],"
                        + " top_logprobs=[{G=-0.5}, {r=-0.5}]}");
    }

    @Test
    void showsTheChosenTokenEvenIfNoOthersAreAskedFor() {
        Answer answer = server.complete("\"prompt\":\"Hi\",\"logprobs\":0,\"max_tokens\":1");
        assertThat(answer.at("choices.0.logprobs.top_logprobs").toString()).isEqualTo("[{G=-0.5}]");
    }

    @Test
    void streamsTheSameLogprobs() {
        String fields = "\"prompt\":\"Hi\",\"logprobs\":2,\"max_tokens\":9";
        Answer whole = server.complete(fields);
        List<Answer> chunks = server.complete(fields + ",\"stream\":true").chunks();
        for (String list : List.of("text_offset", "token_logprobs", "tokens", "top_logprobs")) {
            assertThat(chunks.stream().filter(chunk -> chunk.at("choices.0.logprobs") != null)
                    .<Object>flatMap(chunk -> ((List<?>) chunk.at("choices.0.logprobs." + list)).stream()).toList()).as(list)
                    .isEqualTo(whole.at("choices.0.logprobs." + list));
        }
    }

    @Test
    void showsLogprobsOfTheEchoedPromptToo() {
        Answer answer = server.complete("\"prompt\":[72,105],\"echo\":true,\"logprobs\":0,\"max_tokens\":1");
        assertThat(answer.at("choices.0.logprobs").toString())
                .isEqualTo("{text_offset=[0, 1, 2], token_logprobs=[null, -0.5, -0.5],"
                        + " tokens=[H, i, G], top_logprobs=[null, {i=-0.5}, {G=-0.5}]}");
    }

    @Test
    void scoresThePromptAloneIfNothingIsToBeGenerated() {
        String fields = "\"prompt\":[72,105],\"echo\":true,\"logprobs\":0,\"max_tokens\":0";
        Answer answer = server.complete(fields);
        assertThat(answer.at("choices.0.text")).isEqualTo("Hi");
        assertThat(answer.at("choices.0.logprobs.tokens")).isEqualTo(List.of("H", "i"));
        List<Answer> chunks = server.complete(fields + ",\"stream\":true").chunks();
        assertThat(chunks.getFirst().at("choices.0.logprobs.tokens")).isEqualTo(List.of("H", "i"));
        assertThat(chunks.stream().map(chunk -> (String) chunk.at("choices.0.text")).collect(Collectors.joining()))
                .isEqualTo("Hi");
    }

    @Test
    void showsPromptLogprobsOfEachPrompt() {
        Answer answer = server.complete("\"prompt\":[[72,105],[33]],\"prompt_logprobs\":0,\"max_tokens\":1");
        assertThat(answer.at("choices.0.prompt_logprobs").toString())
                .isEqualTo("[null, {105={logprob=-0.5, rank=1, decoded_token=i}}]");
        assertThat(answer.at("choices.1.prompt_logprobs").toString()).isEqualTo("[null]");
    }

    @Test
    void returnsTokenIdsIfAsked() {
        Answer answer = server.complete("\"prompt\":[72,105],\"return_token_ids\":true,\"max_tokens\":2");
        assertThat(answer.at("choices.0.token_ids")).isEqualTo(List.of(71, 114));
        assertThat(answer.at("choices.0.prompt_token_ids")).isEqualTo(List.of(72, 105));
        List<Answer> chunks = server.complete("\"prompt\":[72,105],\"return_token_ids\":true,\"max_tokens\":2,\"stream\":true")
                .chunks();
        assertThat(chunks.getFirst().at("choices.0.prompt_token_ids")).isEqualTo(List.of(72, 105));
        assertThat(chunks.stream().flatMap(chunk -> ((List<?>) chunk.at("choices.0.token_ids")).stream()).toList())
                .isEqualTo(List.of(71, 114));
    }

    @Test
    void takesDefaultsFromTheModelsGenerationConfig() {
        FakeEngine own = new FakeEngine(true,
                Map.of("temperature", 0.6, "top_p", 0.95, "top_k", 20, "min_p", 0.05, "repetition_penalty", 1.05));
        try (TestServer other = new TestServer(own)) {
            other.complete("\"prompt\":\"Hi\"");
            other.complete("\"prompt\":\"Hi\",\"temperature\":0,\"top_k\":-1");
            var defaults = own.submitted.remove().request().sampling();
            assertThat(List.of(defaults.temperature(), defaults.topP(), defaults.minP(), defaults.repetitionPenalty()))
                    .containsExactly(0.6, 0.95, 0.05, 1.05);
            assertThat(defaults.topK()).isEqualTo(20);
            var given = own.submitted.remove().request().sampling();
            assertThat(given.temperature()).isZero();
            assertThat(given.topK()).isEqualTo(-1);
        }
    }

    @Test
    void saysHowMuchOfThePromptWasInTheCache() {
        engine.cachedTokens = 2;
        assertThat(server.complete("\"prompt\":\"Hi\",\"max_tokens\":50").at("usage").toString()).isEqualTo(
                "{prompt_tokens=3, total_tokens=24, completion_tokens=21, prompt_tokens_details={cached_tokens=2}}");
        // What several answers to a prompt have in common is computed once at most; two prompts count both.
        assertThat(server.complete("\"prompt\":[\"Hi\",\"Ho\"],\"n\":3").at("usage.prompt_tokens_details.cached_tokens"))
                .isEqualTo(4);
    }

    @Test
    void handsOnWhatTheSchedulerNeeds() {
        server.complete("\"prompt\":\"Hi\",\"priority\":-3,\"cache_salt\":\"mine\"");
        assertThat(engine.submitted.element().request().priority()).isEqualTo(-3);
        assertThat(engine.submitted.element().request().cacheSalt()).hasValue("mine");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"\"", "3",
        "\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\""})
    void refusesASaltThatIsNoText(String salt) {
        Answer answer = server.complete("\"prompt\":\"Hi\",\"cache_salt\":" + salt);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.at("error.param")).isEqualTo("cache_salt");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/reset_prefix_cache", "/flush_cache"})
    void forgetsThePrefixCacheWhenAsked(String path) {
        assertThat(server.post(path, "").status()).isEqualTo(200);
        assertThat(engine.resets).hasValue(1);
    }
}
