package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.serve.openai.TestServer.Answer;

/** The responses API. */
class ResponsesTest {

    private static final String TOOLS = "\"tools\":[{\"type\":\"function\",\"name\":\"add\",\"parameters\":{\"type\":\"object\"},\"strict\":true}]";
    private static final String SAYS = "<think>Hm.</think>I add.<tool_call>{\"name\": \"add\", \"arguments\": {\"a\": 1}}</tool_call>";

    private final FakeEngine engine = new FakeEngine();
    private final TestServer server = new TestServer(engine, Map.of("enable-auto-tool-choice", true, "tool-call-parser", "hermes",
            "reasoning-parser", "qwen3"), TestServer.LIMITS);

    @AfterEach
    void close() {
        server.close();
    }

    private Answer ask(String fields) {
        return server.post("/v1/responses", "{\"input\":\"Hi\"" + (fields.isEmpty() ? "" : "," + fields) + "}");
    }

    @Test
    void answersWithEveryField() {
        Answer answer = ask("\"model\":\"toy\",\"metadata\":{\"a\":\"b\"},\"temperature\":0.5");
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(answer.json().keySet()).containsExactly("id", "object", "created_at", "status", "error", "incomplete_details",
                "model",
                "output", "instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "previous_response_id",
                "background",
                "reasoning", "service_tier", "store", "temperature", "text", "tool_choice", "tools", "top_p", "truncation",
                "user",
                "usage");
        assertThat((String) answer.at("id")).matches("resp_[0-9a-f]{32}");
        assertThat(answer.at("status")).isEqualTo("completed");
        assertThat((String) answer.at("output.0.id")).startsWith("msg_");
        assertThat(answer.at("output.0.content").toString())
                .isEqualTo("[{type=output_text, text=" + FakeEngine.SAYS + ", annotations=[], logprobs=[]}]");
        assertThat(answer.at("metadata")).isEqualTo(Map.of("a", "b"));
        assertThat(answer.at("temperature")).isEqualTo(0.5);
        assertThat(answer.at("usage").toString()).isEqualTo("{input_tokens=26, input_tokens_details={cached_tokens=0},"
                + " output_tokens=21, output_tokens_details={reasoning_tokens=0}, total_tokens=47}");
    }

    @Test
    void showsReasoningMessageAndCallAsItems() {
        engine.says = SAYS;
        Answer answer = ask(TOOLS);
        assertThat(answer.at("output.0.type")).isEqualTo("reasoning");
        assertThat(answer.at("output.0.content").toString()).isEqualTo("[{type=reasoning_text, text=Hm.}]");
        assertThat(answer.at("output.1.type")).isEqualTo("message");
        assertThat(answer.at("output.2.type")).isEqualTo("function_call");
        assertThat((String) answer.at("output.2.call_id")).startsWith("chatcmpl-tool-");
        assertThat(answer.at("output.2.arguments")).isEqualTo("{\"a\": 1}");
        assertThat(engine.codec.seenVariables.get("tools").toString())
                .isEqualTo("[{type=function, function={name=add, parameters={type=object}}}]");
    }

    @Test
    void streamsEventsThatAddUpToTheWholeResponse() {
        engine.says = SAYS;
        Answer answer = ask(TOOLS + ",\"stream\":true");
        assertThat(answer.body()).endsWith("data: [DONE]\n\n");
        List<Answer> events = answer.namedEvents();
        for (int i = 0; i < events.size(); i++) {
            assertThat(events.get(i).at("sequence_number")).isEqualTo(i);
        }
        List<String> types = events.stream().map(event -> (String) event.at("type")).toList();
        assertThat(types.subList(0, 4)).containsExactly("response.created", "response.in_progress", "response.output_item.added",
                "response.content_part.added");
        assertThat(types.stream().distinct()).containsExactly("response.created", "response.in_progress",
                "response.output_item.added", "response.content_part.added", "response.reasoning_text.delta",
                "response.reasoning_text.done", "response.content_part.done", "response.output_item.done",
                "response.output_text.delta", "response.output_text.done", "response.function_call_arguments.delta",
                "response.function_call_arguments.done", "response.completed");
        assertThat(deltas(events, "response.reasoning_text.delta")).isEqualTo("Hm.");
        assertThat(deltas(events, "response.output_text.delta")).isEqualTo("I add.");
        assertThat(deltas(events, "response.function_call_arguments.delta")).isEqualTo("{\"a\": 1}");
        List<Object> items = events.stream().filter(event -> event.at("type").equals("response.output_item.done"))
                .map(event -> event.at("item")).toList();
        assertThat(events.getLast().at("response.output")).isEqualTo(items);
        assertThat(events.getLast().at("response.status")).isEqualTo("completed");
        assertThat(events.getFirst().at("response.status")).isEqualTo("in_progress");
        assertThat(events.getFirst().at("response.id")).isEqualTo(events.getLast().at("response.id"));
    }

    @Test
    void saysThatALimitEndedIt() {
        Answer answer = ask("\"max_output_tokens\":3");
        assertThat(answer.at("status")).isEqualTo("incomplete");
        assertThat(answer.at("incomplete_details.reason")).isEqualTo("max_output_tokens");
        assertThat(answer.at("output.0.status")).isEqualTo("incomplete");
        assertThat(ask("\"max_output_tokens\":3,\"stream\":true").namedEvents().getLast().at("type"))
                .isEqualTo("response.incomplete");
    }

    @Test
    void readsAWholeConversation() {
        Answer answer = server.post("/v1/responses", """
                {"instructions": "Be kind.", "reasoning": {"effort": "low"}, "input": [
                  {"role": "user", "content": [{"type": "input_text", "text": "a"}]},
                  {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
                  {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
                  {"type": "function_call", "call_id": "1", "name": "add", "arguments": "{\\"x\\": 1}"},
                  {"type": "function_call", "call_id": "2", "name": "add", "arguments": "{}"},
                  {"type": "function_call_output", "call_id": "1", "output": "2"}]}""");
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(engine.codec.seenMessages.toString()).isEqualTo("[{role=system, content=Be kind.}, {role=user, content=a},"
                + " {role=assistant, content=b, reasoning=hm, tool_calls=[{id=1, type=function, function={name=add, arguments={x=1}}},"
                + " {id=2, type=function, function={name=add, arguments={}}}], reasoning_content=hm},"
                + " {role=tool, content=2, tool_call_id=1}]");
        assertThat(engine.codec.seenVariables).containsEntry("reasoning_effort", "low");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{} | input | `input` must be a text",
        "{\"input\":[]} | input | `input` must be a text",
        "{\"input\":[{\"type\":\"item_reference\",\"id\":\"x\"}]} | input[0].type | `input[0].type` is item_reference: responses are not stored",
        "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\"}]}]} | input[0].content[0].type | `input[0].content[0].type` is [input_image]",
        "{\"input\":\"x\",\"previous_response_id\":\"resp_1\"} | previous_response_id | `previous_response_id` cannot be found",
        "{\"input\":\"x\",\"background\":true} | background | `background` is not supported",
        "{\"input\":\"x\",\"tools\":[{\"type\":\"web_search\"}]} | tools[0].type | `tools[0].type` can only be",
        "{\"input\":\"x\",\"max_output_tokens\":0} | max_output_tokens | `max_output_tokens` must be"})
    void refusesWhatItDoesNotHave(String body, String param, String message) {
        Answer answer = server.post("/v1/responses", body);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.error()).containsEntry("param", param);
        assertThat(answer.message()).startsWith(message);
    }

    @Test
    void keepsNothingToAskForLater() {
        assertThat(server.get("/v1/responses/resp_1").status()).isEqualTo(404);
        assertThat(server.post("/v1/responses/resp_1/cancel", "").status()).isEqualTo(404);
    }

    @Test
    void saysInMidStreamThatTheEngineIsGone() {
        engine.behaviour = engine::die;
        Answer last = ask("\"stream\":true").namedEvents().getLast();
        assertThat(last.at("type")).isEqualTo("response.failed");
        assertThat((String) last.at("response.error.message")).contains("rank 2");
    }

    private static String deltas(List<Answer> events, String type) {
        return events.stream().filter(event -> event.at("type").equals(type)).map(event -> (String) event.at("delta"))
                .collect(Collectors.joining());
    }
}
