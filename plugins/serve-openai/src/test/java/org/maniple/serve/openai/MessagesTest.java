package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.engine.GenerationEvent.Stop;
import org.maniple.serve.openai.TestServer.Answer;

/** Anthropic's messages. */
class MessagesTest {

    private static final String TOOLS = "\"tools\":[{\"name\":\"add\",\"description\":\"Adds.\",\"input_schema\":{\"type\":\"object\"}}]";
    private static final String SAYS = "<think>Hm.</think>I add.<tool_call>{\"name\": \"add\", \"arguments\": {\"a\": 1}}</tool_call>";

    private final FakeEngine engine = new FakeEngine();
    private final TestServer server = new TestServer(engine, Map.of("enable-auto-tool-choice", true, "tool-call-parser", "hermes",
            "reasoning-parser", "qwen3", "api-key", "k"), TestServer.LIMITS);

    @AfterEach
    void close() {
        server.close();
    }

    private Answer post(String path, String body) {
        return server.send(server.request(path).header("Content-Type", "application/json").header("x-api-key", "k")
                .POST(HttpRequest.BodyPublishers.ofString(body)).build());
    }

    private Answer ask(String fields) {
        return post("/v1/messages", "{\"model\":\"toy\",\"max_tokens\":200,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]"
                + (fields.isEmpty() ? "" : "," + fields) + "}");
    }

    @Test
    void answersWithEveryField() {
        Answer answer = ask("");
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(answer.json().keySet()).containsExactly("id", "type", "role", "model", "content", "stop_reason",
                "stop_sequence",
                "usage");
        assertThat((String) answer.at("id")).matches("msg_[0-9a-f]{32}");
        assertThat(answer.at("content").toString()).isEqualTo("[{type=text, text=" + FakeEngine.SAYS + "}]");
        assertThat(answer.at("stop_reason")).isEqualTo("end_turn");
        assertThat(answer.at("usage").toString()).isEqualTo(
                "{input_tokens=26, output_tokens=21, cache_read_input_tokens=0, cache_creation_input_tokens=0}");
    }

    @Test
    void showsThinkingTextAndUseOfTools() {
        engine.says = SAYS;
        Answer answer = ask(TOOLS);
        assertThat(answer.at("content.0").toString()).isEqualTo("{type=thinking, thinking=Hm., signature=}");
        assertThat(answer.at("content.1").toString()).isEqualTo("{type=text, text=I add.}");
        assertThat(answer.at("content.2.type")).isEqualTo("tool_use");
        assertThat(answer.at("content.2.name")).isEqualTo("add");
        assertThat(answer.at("content.2.input")).isEqualTo(Map.of("a", 1));
        assertThat(answer.at("stop_reason")).isEqualTo("tool_use");
        assertThat(engine.codec.seenVariables.get("tools").toString()).isEqualTo(
                "[{type=function, function={name=add, description=Adds., parameters={type=object}}}]");
    }

    @Test
    void streamsBlocksWithABeginningAndAnEnd() {
        engine.says = SAYS;
        Answer answer = ask(TOOLS + ",\"stream\":true");
        List<Answer> events = answer.namedEvents();
        assertThat(answer.body()).doesNotContain("[DONE]");
        assertThat(events.stream().map(event -> (String) event.at("type")).distinct()).containsExactly("message_start",
                "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop");
        assertThat(events.getFirst().at("message.content")).isEqualTo(List.of());
        assertThat(events.stream().filter(event -> event.at("type").equals("content_block_start"))
                .map(event -> event.at("index") + " " + event.at("content_block.type"))).containsExactly("0 thinking", "1 text",
                        "2 tool_use");
        assertThat(deltas(events, "thinking")).isEqualTo("Hm.");
        assertThat(deltas(events, "text")).isEqualTo("I add.");
        assertThat(deltas(events, "partial_json")).isEqualTo("{\"a\": 1}");
        assertThat(events.get(events.size() - 2).at("delta").toString()).isEqualTo("{stop_reason=tool_use, stop_sequence=null}");
        assertThat((int) events.get(events.size() - 2).at("usage.output_tokens")).isPositive();
    }

    @Test
    void readsAWholeConversation() {
        Answer answer = post("/v1/messages",
                """
                        {"model": "toy", "max_tokens": 5, "system": [{"type": "text", "text": "Be kind."}], "thinking": {"type": "disabled"},
                         "stop_sequences": ["x"], "messages": [
                          {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
                          {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": ""}, {"type": "text", "text": "b"},
                            {"type": "tool_use", "id": "1", "name": "add", "input": {"x": 1}}]},
                          {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "2"}]},
                            {"type": "text", "text": "And?"}]}]}""");
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(engine.codec.seenMessages.toString()).isEqualTo("[{role=system, content=Be kind.}, {role=user, content=a},"
                + " {role=assistant, content=b, reasoning=hm, tool_calls=[{id=1, type=function, function={name=add, arguments={x=1}}}],"
                + " reasoning_content=hm}, {role=tool, content=2, tool_call_id=1}, {role=user, content=And?}]");
        assertThat(engine.codec.seenVariables).containsEntry("enable_thinking", false);
        assertThat(engine.submitted.element().request().sampling().stop()).containsExactly("x");
        assertThat(answer.at("stop_reason")).isEqualTo("max_tokens");
    }

    @Test
    void saysWhichSequenceStoppedIt() {
        engine.behaviour = engine.stopping(new Stop.Text("END"));
        assertThat(ask("\"stop_sequences\":[\"END\"]").at("stop_reason")).isEqualTo("stop_sequence");
        assertThat(ask("\"stop_sequences\":[\"END\"]").at("stop_sequence")).isEqualTo("END");
    }

    @Test
    void countsTokensWithoutGeneratingAny() {
        Answer answer = post("/v1/messages/count_tokens",
                "{\"model\":\"toy\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
        assertThat(answer.body()).isEqualTo("{\"input_tokens\":26}");
        assertThat(engine.submitted).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]} | 400 | invalid_request_error | `max_tokens` is missing",
        "{\"max_tokens\":1} | 400 | invalid_request_error | `messages` must be a list",
        "{\"max_tokens\":1,\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]} | 400 | invalid_request_error | `messages[0].role` must be",
        "{\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image\"}]}]} | 400 | invalid_request_error | `messages[0].content[0].type` is [image]",
        "{\"max_tokens\":1,\"model\":\"x\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]} | 404 | not_found_error | The model `x` does not exist.",
        "[] | 400 | invalid_request_error | The body must be a JSON object"})
    void refusesInAnthropicsWords(String body, int status, String type, String message) {
        Answer answer = post("/v1/messages", body);
        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.at("type")).isEqualTo("error");
        assertThat(answer.at("error.type")).isEqualTo(type);
        assertThat((String) answer.at("error.message")).startsWith(message);
    }

    @Test
    void asksForAKeyByEitherName() {
        assertThat(server.post("/v1/messages", "{}").at("error.type")).isEqualTo("authentication_error");
        assertThat(server.send(server.request("/version").header("Authorization", "Bearer k").build()).status()).isEqualTo(200);
        assertThat(server.send(server.request("/version").header("x-api-key", "l").build()).status()).isEqualTo(401);
    }

    @Test
    void saysInMidStreamThatTheEngineIsGone() {
        engine.behaviour = engine::die;
        Answer last = ask("\"stream\":true").namedEvents().getLast();
        assertThat(last.at("type")).isEqualTo("error");
        assertThat(last.at("error.type")).isEqualTo("overloaded_error");
    }

    private static String deltas(List<Answer> events, String field) {
        return events.stream().filter(event -> event.at("type").equals("content_block_delta"))
                .map(event -> ((Map<?, ?>) event.at("delta")).get(field)).filter(text -> text != null).map(String::valueOf)
                .collect(Collectors.joining());
    }

    @Test
    void tellsWhatCameFromTheCache() {
        engine.cachedTokens = 16;
        assertThat(ask("").at("usage").toString()).isEqualTo(
                "{input_tokens=10, output_tokens=21, cache_read_input_tokens=16, cache_creation_input_tokens=0}");
    }
}
