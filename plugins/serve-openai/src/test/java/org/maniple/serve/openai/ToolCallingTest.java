package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.ManipleException;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.serve.openai.TestServer.Answer;

/** Calls and reasoning in chat completions. */
class ToolCallingTest {

    private static final String TOOLS = "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"add\",\"parameters\":{\"type\":\"object\"}}}]";
    private static final String SAYS = "<think>\nHm.\n</think>\n\nI add.\n<tool_call>\n{\"name\": \"add\", \"arguments\": {\"a\": \"ü\"}}\n</tool_call>\n";

    private final FakeEngine engine = new FakeEngine();
    private final List<TestServer> servers = new ArrayList<>();

    @AfterEach
    void close() {
        servers.forEach(TestServer::close);
    }

    private TestServer server(Map<String, Object> settings) {
        TestServer server = new TestServer(engine, settings, TestServer.LIMITS);
        servers.add(server);
        return server;
    }

    private TestServer withParsers() {
        engine.says = SAYS;
        return server(Map.of("enable-auto-tool-choice", true, "tool-call-parser", "hermes", "reasoning-parser", "qwen3"));
    }

    @Test
    void separatesReasoningContentAndCalls() {
        Answer answer = withParsers().chat(TOOLS);
        assertThat(((Map<?, ?>) answer.at("choices.0.message")).keySet().toString())
                .isEqualTo("[role, reasoning_content, reasoning, content, refusal, tool_calls]");
        assertThat(answer.at("choices.0.message.reasoning")).isEqualTo("Hm.");
        assertThat(answer.at("choices.0.message.reasoning_content")).isEqualTo("Hm.");
        assertThat(answer.at("choices.0.message.content")).isEqualTo("I add.");
        assertThat((String) answer.at("choices.0.message.tool_calls.0.id")).matches("chatcmpl-tool-[0-9a-f]{32}");
        assertThat(answer.at("choices.0.message.tool_calls.0.type")).isEqualTo("function");
        assertThat(answer.at("choices.0.message.tool_calls.0.function").toString())
                .isEqualTo("{name=add, arguments={\"a\": \"ü\"}}");
        assertThat(answer.at("choices.0.finish_reason")).isEqualTo("tool_calls");
        assertThat(answer.at("usage.completion_tokens_details.reasoning_tokens")).isInstanceOf(Integer.class).isNotEqualTo(0);
    }

    @Test
    void streamsTheSameInPieces() {
        TestServer server = withParsers();
        List<Answer> chunks = server.chat(TOOLS + ",\"stream\":true").chunks();
        assertThat(joined(chunks, "reasoning")).isEqualTo("Hm.");
        assertThat(joined(chunks, "reasoning_content")).isEqualTo("Hm.");
        assertThat(joined(chunks, "content")).isEqualTo("I add.");
        List<Answer> calls = chunks.stream().filter(chunk -> delta(chunk).containsKey("tool_calls")).toList();
        assertThat(((Map<?, ?>) calls.getFirst().at("choices.0.delta.tool_calls.0")).keySet().toString())
                .isEqualTo("[index, id, type, function]");
        assertThat(calls.getFirst().at("choices.0.delta.tool_calls.0.function").toString()).isEqualTo("{name=add, arguments=}");
        assertThat(calls.get(1).at("choices.0.delta.tool_calls.0").toString()).isEqualTo("{index=0, function={arguments={}}");
        assertThat(calls.stream().map(chunk -> (String) chunk.at("choices.0.delta.tool_calls.0.function.arguments"))
                .collect(Collectors.joining())).isEqualTo("{\"a\": \"ü\"}");
        assertThat(chunks.getLast().at("choices.0.finish_reason")).isEqualTo("tool_calls");
        assertThat(chunks.stream().filter(chunk -> chunk.at("choices.0.finish_reason") != null)).hasSize(1);
    }

    @Test
    void hasNoContentWhereThereAreCallsAlone() {
        TestServer server = withParsers();
        engine.says = "<tool_call>{\"name\": \"add\"}</tool_call>";
        assertThat(server.chat(TOOLS).at("choices.0.message.content")).isNull();
    }

    @Test
    void saysThatItWasCutOffAlsoWithinACall() {
        Answer answer = withParsers().chat(TOOLS + ",\"max_tokens\":80");
        assertThat(answer.at("choices.0.finish_reason")).isEqualTo("length");
        assertThat((List<?>) answer.at("choices.0.message.tool_calls")).hasSize(1);
    }

    @Test
    void leavesCallsInTheContentWithoutToolsOrIfNoneIsToBeCalled() {
        TestServer server = withParsers();
        for (String fields : new String[] {"", TOOLS + ",\"tool_choice\":\"none\""}) {
            Answer answer = server.chat(fields);
            assertThat((String) answer.at("choices.0.message.content")).startsWith("I add.\n<tool_call>");
            assertThat(answer.at("choices.0.finish_reason")).isEqualTo("stop");
        }
    }

    @Test
    void leavesEverythingInTheContentWithoutParsers() {
        engine.says = SAYS;
        Answer answer = server(Map.of()).chat(TOOLS + ",\"tool_choice\":\"auto\"");
        assertThat(answer.at("choices.0.message.content")).isEqualTo(SAYS);
        assertThat(((Map<?, ?>) answer.at("usage")).containsKey("completion_tokens_details")).isFalse();
    }

    @Test
    void showsReasoningAsAsked() {
        TestServer server = withParsers();
        assertThat(server.chat("\"include_reasoning\":false").at("choices.0.message.reasoning")).isNull();
        assertThat((String) server.chat("\"separate_reasoning\":false").at("choices.0.message.content")).startsWith("<think>");
        TestServer oldName = server(Map.of("reasoning-parser", "qwen3", "reasoning-fields", "reasoning_content"));
        Map<?, ?> message = (Map<?, ?>) oldName.chat("").at("choices.0.message");
        assertThat(message.get("reasoning_content")).isEqualTo("Hm.");
        assertThat(message.containsKey("reasoning")).isFalse();
    }

    @Test
    void makesSpecialTokensVisibleOnlyWhereTheyAreMarks() {
        TestServer server = withParsers();
        server.chat(TOOLS);
        assertThat(engine.submitted.element().request().sampling().skipSpecialTokens()).isTrue();
        engine.codec.mark = "<tool_call>";
        server.chat(TOOLS);
        server.chat("");
        assertThat(engine.submitted.stream().map(running -> running.request().sampling().skipSpecialTokens()))
                .containsExactly(true, false, true);
    }

    @Test
    void constrainsTheOutputToTheCallsThatARequestDemands() {
        engine.says = "[{\"name\": \"add\", \"parameters\": {\"a\": 1}}]";
        TestServer server = server(Map.of());
        Answer answer = server.chat(TOOLS + ",\"tool_choice\":\"required\",\"parallel_tool_calls\":false");
        assertThat(answer.at("choices.0.message.tool_calls.0.function").toString()).isEqualTo("{name=add, arguments={\"a\": 1}}");
        assertThat(answer.at("choices.0.message.content")).isNull();
        assertThat(answer.at("choices.0.finish_reason")).isEqualTo("tool_calls");
        assertThat(constraint())
                .isEqualTo(new OutputConstraint.Schema("{\"type\":\"array\",\"minItems\":1,\"maxItems\":1,\"items\":{\"anyOf\":["
                        + "{\"type\":\"object\",\"properties\":{\"name\":{\"const\":\"add\"},\"parameters\":{\"type\":\"object\"}},"
                        + "\"required\":[\"name\",\"parameters\"],\"additionalProperties\":false}]}}", false));
    }

    @Test
    void constrainsTheOutputToTheArgumentsOfTheToolThatARequestNames() {
        engine.says = "{\"a\": 1}";
        TestServer server = server(Map.of());
        String named = TOOLS + ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"add\"}}";
        Answer answer = server.chat(named);
        assertThat(answer.at("choices.0.message.tool_calls.0.function").toString()).isEqualTo("{name=add, arguments={\"a\": 1}}");
        assertThat(answer.at("choices.0.finish_reason")).as("as with OpenAI").isEqualTo("stop");
        assertThat(constraint()).isEqualTo(new OutputConstraint.Schema("{\"type\":\"object\"}", false));
        assertThat(server.chat(named + ",\"stream\":true").chunks().stream()
                .filter(chunk -> delta(chunk).containsKey("tool_calls"))
                .map(chunk -> chunk.at("choices.0.delta.tool_calls.0.function.arguments")).map(String::valueOf)
                .collect(Collectors.joining())).isEqualTo("{\"a\": 1}");
    }

    @Test
    void letsTheModelThinkBeforeTheCallsThatARequestDemands() {
        TestServer server = server(Map.of("reasoning-parser", "deepseek_r1"));
        engine.says = "Hm, [1].\n</think>\n\n[{\"name\": \"add\", \"parameters\": {\"a\": 1}}]";
        Answer answer = server.chat(TOOLS + ",\"tool_choice\":\"required\"");
        assertThat(answer.at("choices.0.message.reasoning")).isEqualTo("Hm, [1].");
        assertThat(answer.at("choices.0.message.content")).isNull();
        assertThat(answer.at("choices.0.message.tool_calls.0.function").toString()).isEqualTo("{name=add, arguments={\"a\": 1}}");
        assertThat(constraint()).isInstanceOfSatisfying(OutputConstraint.AfterReasoning.class, after -> {
            assertThat(after.inside()).isTrue();
            assertThat(after.then()).isInstanceOf(OutputConstraint.Schema.class);
        });
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"sub\"}} | `tool_choice` names the function [sub], which is not in `tools`.",
        "\"tool_choice\":{} | `tool_choice` names the function [], which is not in `tools`.",
        "\"tool_choice\":\"any\" | `tool_choice` must be \"none\"",
        "\"tool_choice\":\"required\",\"response_format\":{\"type\":\"json_object\"} | A call that `tool_choice` demands cannot have the form"})
    void refusesChoicesThatAreNone(String fields, String message) {
        Answer answer = server(Map.of()).chat(TOOLS + "," + fields);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.error()).containsEntry("param", "tool_choice");
        assertThat(answer.message()).startsWith(message);
    }

    private OutputConstraint constraint() {
        return engine.submitted.element().request().sampling().constraint().orElseThrow();
    }

    @Test
    void startsOnlyIfItKnowsHowCallsAreWritten() {
        assertThatThrownBy(() -> server(Map.of("enable-auto-tool-choice", true))).isInstanceOf(ManipleException.class)
                .hasMessageContaining("--enable-auto-tool-choice requires --tool-call-parser").hasMessageContaining("hermes");
    }

    @Test
    void namesTheFlagsThatACallNeeds() {
        Answer answer = server(Map.of("tool-call-parser", "hermes")).chat(TOOLS + ",\"tool_choice\":\"auto\"");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.message())
                .isEqualTo("\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"tools\":[{\"type\":\"custom\",\"custom\":{}}] | tools[0].type",
        "\"tools\":[{\"type\":\"function\"}] | tools[0].function",
        "\"tools\":[{\"function\":{\"name\":\"\"}}] | tools[0].function.name",
        "\"tools\":[1] | tools[0]",
        "\"tools\":{} | tools",
        "\"parallel_tool_calls\":1 | parallel_tool_calls",
        "\"include_reasoning\":1 | include_reasoning"})
    void refusesWhatIsNoTool(String fields, String param) {
        Answer answer = server(Map.of()).chat(fields);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.error()).containsEntry("param", param);
    }

    private static Map<?, ?> delta(Answer chunk) {
        return (Map<?, ?>) chunk.at("choices.0.delta");
    }

    private static String joined(List<Answer> chunks, String field) {
        return chunks.stream().map(chunk -> delta(chunk).get(field)).filter(text -> text != null).map(String::valueOf)
                .collect(Collectors.joining());
    }
}
