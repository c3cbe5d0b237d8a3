package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.maniple.api.engine.GenerationEvent.Stop;
import org.maniple.api.engine.Sampling;
import org.maniple.serve.openai.TestServer.Answer;

class ChatCompletionTest {

    private final FakeEngine engine = new FakeEngine();
    private final TestServer server = new TestServer(engine);

    @AfterEach
    void close() {
        server.close();
    }

    @Test
    void answersWithEveryFieldThatClientsKnow() {
        Answer answer = server.chat("\"model\":\"toy\"");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("content-type")).isEqualTo("application/json");
        assertThat(answer.json().keySet()).containsExactly("id", "object", "created", "model", "choices", "usage",
                "prompt_logprobs",
                "kv_transfer_params", "system_fingerprint", "service_tier", "prompt_token_ids");
        assertThat((String) answer.at("id")).matches("chatcmpl-[0-9a-f]{32}");
        assertThat(answer.at("object")).isEqualTo("chat.completion");
        assertThat(answer.at("model")).as("the first name is shown").isEqualTo("/models/toy");
        assertThat(answer.at("prompt_logprobs")).isNull();
        assertThat(((Map<?, ?>) answer.at("choices.0")).keySet().toString())
                .isEqualTo("[index, message, logprobs, finish_reason, stop_reason, token_ids]");
        assertThat(answer.at("choices.0.message").toString())
                .isEqualTo("{role=assistant, reasoning_content=null, reasoning=null, content="
                        + FakeEngine.SAYS + ", refusal=null, tool_calls=[]}");
        assertThat(answer.at("choices.0.finish_reason")).isEqualTo("stop");
        assertThat(answer.at("choices.0.stop_reason")).isNull();
        assertThat(answer.at("usage").toString())
                .isEqualTo("{prompt_tokens=26, total_tokens=47, completion_tokens=21, prompt_tokens_details=null}");
    }

    @Test
    void streamsTheRoleFirstThenTheTextThenTheReason() {
        Answer answer = server.chat("\"stream\":true,\"stream_options\":{\"include_usage\":true}");
        assertThat(answer.header("content-type")).isEqualTo("text/event-stream; charset=utf-8");
        assertThat(answer.header("cache-control")).isEqualTo("no-cache");
        assertThat(answer.header("x-accel-buffering")).isEqualTo("no");
        List<Answer> chunks = answer.chunks();
        assertThat(chunks.getFirst().at("choices.0").toString())
                .isEqualTo("{index=0, delta={role=assistant, content=}, logprobs=null, finish_reason=null}");
        assertThat(chunks.getFirst().json().keySet()).containsExactly("id", "object", "created", "model", "choices");
        assertThat(chunks.getFirst().at("object")).isEqualTo("chat.completion.chunk");
        Answer usage = chunks.getLast();
        assertThat(usage.at("choices")).isEqualTo(List.of());
        assertThat(usage.at("usage").toString()).isEqualTo("{prompt_tokens=26, total_tokens=47, completion_tokens=21}");
        List<Answer> texts = chunks.subList(0, chunks.size() - 1);
        assertThat(texts.getLast().at("choices.0").toString())
                .isEqualTo("{index=0, delta={content=}, logprobs=null, finish_reason=stop, stop_reason=null}");
        assertThat(texts.subList(0, texts.size() - 1))
                .allSatisfy(chunk -> assertThat(chunk.at("choices.0.finish_reason")).isNull());
        assertThat(texts.stream().map(chunk -> (String) chunk.at("choices.0.delta.content")).collect(Collectors.joining()))
                .isEqualTo(FakeEngine.SAYS);
        assertThat(chunks.stream().map(chunk -> chunk.at("id")).distinct()).hasSize(1);
    }

    @Test
    void showsUsageInEveryChunkIfAsked() {
        Answer answer = server
                .chat("\"stream\":true,\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}");
        assertThat(answer.chunks()).allSatisfy(chunk -> assertThat(chunk.at("usage.prompt_tokens")).isEqualTo(26));
    }

    @Test
    void rendersTheTemplateWithToolsDocumentsAndVariables() {
        Answer answer = server.chat("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],\"tool_choice\":\"auto\","
                + "\"documents\":[{\"text\":\"d\"}],\"chat_template_kwargs\":{\"enable_thinking\":false}");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(engine.codec.seenVariables).containsEntry("enable_thinking", false)
                .containsEntry("add_generation_prompt", true)
                .containsEntry("documents", List.of(Map.of("text", "d"))).containsKey("tools");
    }

    @Test
    void joinsTextPartsAndReadsToolCalls() {
        Answer answer = server.post("/v1/chat/completions", """
                {"messages": [
                  {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
                  {"role": "assistant", "content": null, "reasoning": "hm",
                   "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\\"x\\": 1}"}}]},
                  {"role": "tool", "tool_call_id": "1", "content": "2"}]}""");
        assertThat(answer.status()).isEqualTo(200);
        assertThat(engine.codec.seenMessages.toString()).isEqualTo("[{role=user, content=a\nb}, {role=assistant, reasoning=hm,"
                + " tool_calls=[{id=1, type=function, function={name=f, arguments={x=1}}}], content=, reasoning_content=hm},"
                + " {role=tool, tool_call_id=1, content=2}]");
    }

    @Test
    void continuesTheFinalMessageWhereItEnds() {
        server.post("/v1/chat/completions", """
                {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "So "}],
                 "continue_final_message": true, "add_generation_prompt": false}""");
        assertThat(engine.codec.decode(engine.submitted.element().request().prompt(), false))
                .isEqualTo("<user>x</user><assistant>So ");
    }

    @Test
    void echoesTheMessageThatItContinues() {
        String body = """
                {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "So "}],
                 "continue_final_message": true, "echo": true, "stream": %s}""";
        assertThat(server.post("/v1/chat/completions", body.formatted("false")).at("choices.0.message.content"))
                .isEqualTo("So " + FakeEngine.SAYS);
        assertThat(server.post("/v1/chat/completions", body.formatted("true")).chunks().get(1).at("choices.0.delta.content"))
                .isEqualTo("So ");
    }

    @Test
    void showsLogprobsWithBytes() {
        Answer answer = server.chat("\"logprobs\":true,\"top_logprobs\":2,\"max_tokens\":3");
        assertThat(answer.at("choices.0.logprobs.content.0").toString()).isEqualTo("{token=G, logprob=-0.5, bytes=[71],"
                + " top_logprobs=[{token=G, logprob=-0.5, bytes=[71]}, {token=H, logprob=-1.5, bytes=[72]}]}");
        assertThat((List<?>) answer.at("choices.0.logprobs.content")).hasSize(3);
        assertThat(answer.at("choices.0.finish_reason")).isEqualTo("length");
    }

    @Test
    void showsTheSameLogprobsInAStream() {
        Object whole = server.chat("\"logprobs\":true,\"top_logprobs\":2").at("choices.0.logprobs.content");
        List<Object> streamed = server.chat("\"logprobs\":true,\"top_logprobs\":2,\"stream\":true").chunks().stream()
                .filter(chunk -> chunk.at("choices.0.logprobs") != null)
                .<Object>flatMap(chunk -> ((List<?>) chunk.at("choices.0.logprobs.content")).stream())
                .toList();
        assertThat(streamed).isEqualTo(whole);
    }

    @Test
    void showsTokensAsIdsIfAsked() {
        Answer answer = server.chat("\"logprobs\":true,\"return_tokens_as_token_ids\":true,\"max_tokens\":1");
        assertThat(answer.at("choices.0.logprobs.content.0.token")).isEqualTo("token_id:71");
    }

    @Test
    void showsPromptLogprobsByTokenId() {
        Answer answer = server.chat("\"prompt_logprobs\":1,\"max_tokens\":1");
        List<?> entries = (List<?>) answer.at("prompt_logprobs");
        assertThat(entries).hasSize(26);
        assertThat(entries.getFirst()).isNull();
        assertThat(entries.get(1).toString()).isEqualTo("{117={logprob=-0.5, rank=1, decoded_token=u}}");
    }

    @Test
    void returnsTokenIdsIfAsked() {
        Answer whole = server.chat("\"return_token_ids\":true,\"max_tokens\":2");
        assertThat(whole.at("choices.0.token_ids")).isEqualTo(List.of(71, 114));
        assertThat((List<?>) whole.at("prompt_token_ids")).hasSize(26);
        List<Answer> chunks = server.chat("\"return_token_ids\":true,\"max_tokens\":2,\"stream\":true").chunks();
        assertThat((List<?>) chunks.getFirst().at("prompt_token_ids")).hasSize(26);
        assertThat(chunks.stream().flatMap(chunk -> ((List<?>) chunk.at("choices.0.token_ids")).stream()).toList())
                .isEqualTo(List.of(71, 114));
    }

    @Test
    void saysWhatStoppedIt() {
        engine.behaviour = engine.stopping(new Stop.Text("END"));
        Answer byText = server.chat("\"stop\":\"END\"");
        assertThat(byText.at("choices.0.stop_reason")).isEqualTo("END");
        assertThat(byText.at("choices.0.message.content")).isEqualTo("ab");
        engine.behaviour = engine.stopping(new Stop.Token(17));
        assertThat(server.chat("\"stop_token_ids\":[17],\"stream\":true").chunks().getLast().at("choices.0.stop_reason"))
                .isEqualTo(17);
    }

    @Test
    void givesSeveralChoicesWithSeedsOfTheirOwn() {
        Answer answer = server.chat("\"n\":3,\"seed\":40,\"temperature\":1");
        assertThat((List<?>) answer.at("choices")).hasSize(3);
        assertThat(answer.at("choices.2.index")).isEqualTo(2);
        assertThat(engine.submitted.stream().map(r -> r.request().sampling().seed().getAsLong())).containsExactly(40L, 41L, 42L);
        assertThat(answer.at("usage").toString()).as("the prompt counts once")
                .isEqualTo("{prompt_tokens=26, total_tokens=89, completion_tokens=63, prompt_tokens_details=null}");
        assertThat(engine.submitted.stream().map(r -> r.request().id()).distinct()).hasSize(3);
    }

    @Test
    void streamsSeveralChoicesSideBySide() {
        List<Answer> chunks = server.chat("\"n\":2,\"stream\":true").chunks();
        for (int index = 0; index < 2; index++) {
            int wanted = index;
            assertThat(chunks.stream().filter(chunk -> chunk.at("choices.0.index").equals(wanted))
                    .map(chunk -> (String) chunk.at("choices.0.delta.content")).collect(Collectors.joining()))
                    .isEqualTo(FakeEngine.SAYS);
        }
    }

    @Test
    void handsEverySamplingValueToTheEngine() {
        Answer answer = server.chat("""
                "max_tokens":5,"max_completion_tokens":6,"min_tokens":2,"temperature":0.5,"top_p":0.9,"top_k":7,"min_p":0.1,
                "repetition_penalty":1.1,"presence_penalty":0.2,"frequency_penalty":-0.3,"seed":-9,"logit_bias":{"65":-100},
                "allowed_token_ids":[65,66],"bad_words":["no"],"stop":["x","yz"],"include_stop_str_in_output":true,
                "stop_token_ids":[9],"ignore_eos":true,"logprobs":true,"top_logprobs":4,"prompt_logprobs":1,
                "skip_special_tokens":false,"user":"me","priority":3,"request_id":"r1"
                """);
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(answer.at("id")).isEqualTo("chatcmpl-r1");
        assertThat(engine.submitted.element().request().sampling())
                .isEqualTo(new Sampling(OptionalInt.of(6), 2, 0.5, 0.9, 7, 0.1, 1.1, 0.2,
                        -0.3, OptionalLong.of(-9), Map.of(65, -100.0), List.of(65, 66), List.of(List.of(110, 111)),
                        List.of("x", "yz"), true,
                        List.of(9), true, OptionalInt.of(4), OptionalInt.of(1), false, Optional.empty()));
    }

    @Test
    void leavesTheRestOfTheContextToTheOutputIfNoLimitIsGiven() {
        server.chat("");
        assertThat(engine.submitted.element().request().sampling().maxTokens()).isEmpty();
    }

    @Test
    void keepsTheEndOfAPromptThatIsToBeCut() {
        server.chat("\"truncate_prompt_tokens\":11");
        assertThat(engine.codec.decode(engine.submitted.element().request().prompt(), false)).isEqualTo("<assistant>");
    }
}
