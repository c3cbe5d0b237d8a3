package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.api.engine.OutputConstraint.AnyObject;
import org.maniple.api.engine.OutputConstraint.Choice;
import org.maniple.api.engine.OutputConstraint.Grammar;
import org.maniple.api.engine.OutputConstraint.Regex;
import org.maniple.api.engine.OutputConstraint.Schema;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.RefusedException.Reason;
import org.maniple.serve.openai.TestServer.Answer;

/** The fields by which clients of several servers say what the output must be. */
class StructuredFieldsTest {

    private final FakeEngine engine = new FakeEngine();
    private final TestServer server = new TestServer(engine);

    @AfterEach
    void close() {
        server.close();
    }

    static Stream<Arguments> fields() {
        String schema = "{'type':'object','properties':{'b':{'minimum':0.5},'a':{'enum':[1,null,true,'ü',12345678901234567890]}}}";
        return Stream.of(
                Arguments.of("'response_format':{'type':'json_object'}", new AnyObject(false)),
                Arguments.of(
                        "'response_format':{'type':'json_schema','json_schema':{'name':'n','strict':true,'schema':" + schema
                                + "}}",
                        schema(schema, false)),
                Arguments.of("'structured_outputs':{'json':" + schema + "}", schema(schema, false)),
                Arguments.of("'structured_outputs':{'json':'{}'}", new Schema("{}", false)),
                Arguments.of("'structured_outputs':{'json':" + schema + ",'disable_any_whitespace':true}", schema(schema, true)),
                Arguments.of("'structured_outputs':{'json_object':true,'regex':null}", new AnyObject(false)),
                Arguments.of("'structured_outputs':{'regex':'a+'}", new Regex("a+")),
                Arguments.of("'structured_outputs':{'choice':['x','y']}", new Choice(List.of("x", "y"))),
                Arguments.of("'structured_outputs':{'grammar':'root ::= [a]'}", new Grammar("root ::= [a]")),
                Arguments.of("'guided_json':" + schema, schema(schema, false)),
                Arguments.of("'guided_json':'{}'", new Schema("{}", false)),
                Arguments.of("'guided_regex':'a'", new Regex("a")),
                Arguments.of("'guided_choice':['x']", new Choice(List.of("x"))),
                Arguments.of("'guided_grammar':'g'", new Grammar("g")),
                Arguments.of("'regex':'a'", new Regex("a")),
                Arguments.of("'ebnf':'g'", new Grammar("g")),
                Arguments.of("'json_schema':'{}'", new Schema("{}", false)));
    }

    private static Schema schema(String schema, boolean compact) {
        return new Schema(schema.replace('\'', '"'), compact);
    }

    @ParameterizedTest
    @MethodSource("fields")
    void becomeAConstraintOfChatsAndCompletions(String fields, OutputConstraint constraint) {
        String json = fields.replace('\'', '"');
        assertThat(server.chat(json).status()).isEqualTo(200);
        assertThat(server.complete("\"prompt\":\"x\"," + json).status()).isEqualTo(200);
        assertThat(engine.submitted).hasSize(2)
                .allSatisfy(running -> assertThat(running.request().sampling().constraint()).contains(constraint));
    }

    @Test
    void areSharedByAllAnswersToAPrompt() {
        assertThat(server.chat("\"n\":3,\"seed\":5,\"regex\":\"a\"").status()).isEqualTo(200);
        assertThat(engine.submitted).hasSize(3).allSatisfy(
                running -> assertThat(running.request().sampling().constraint()).contains(new Regex("a")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "'structured_outputs':{'regex':'a','choice':['b']} | structured_outputs"
                + " | You can only use one kind of structured outputs constraint but multiple are specified: regex, choice",
        "'response_format':{'type':'json_object'},'guided_regex':'a' | guided_regex"
                + " | You can only use one kind of structured outputs constraint but multiple are specified: response_format, guided_regex",
        "'structured_outputs':{} | structured_outputs | You must use one kind of structured outputs constraint but none are specified",
        "'structured_outputs':{'structural_tag':'x'} | structured_outputs.structural_tag | is not supported by this server",
        "'structured_outputs':{'whitespace_pattern':' '} | structured_outputs.whitespace_pattern | is not supported by this server",
        "'structured_outputs':{'choice':[]} | structured_outputs.choice | must have at least one choice",
        "'structured_outputs':{'choice':[1]} | structured_outputs.choice | must be a string or a list of strings",
        "'structured_outputs':{'json':3} | structured_outputs.json | must be a JSON schema, or a string that is one",
        "'structured_outputs':7 | structured_outputs | must be an object",
        "'response_format':{'type':'json_schema'} | response_format.json_schema | must be an object with the fields name and schema",
        "'response_format':{'type':'json_schema','json_schema':{'name':'n'}} | response_format.json_schema.schema | must be a JSON schema",
        "'guided_regex':['a'] | guided_regex | must be a string",
    })
    void areRefusedIfTheyMakeNoSense(String fields, String param, String message) {
        Answer answer = server.chat(fields.replace('\'', '"'));
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.error()).containsEntry("param", param);
        assertThat(answer.message()).contains(message);
        assertThat(engine.submitted).isEmpty();
    }

    @Test
    void whatTheEngineCannotCompileIsABadRequest() {
        engine.refusal = Optional.of(new RefusedException(Reason.INVALID, "The JSON schema cannot be used: because."));
        Answer answer = server.chat("\"guided_json\":{\"not\":{}}");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.message()).isEqualTo("The JSON schema cannot be used: because.");
    }

    /** The template opens the reasoning, closes it, or leaves it to the model. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "qwen3 | Hi | <think>\\nIs 3 < 4?\\n</think>\\n\\n{\"a\":1} | false | Is 3 < 4? | {\"a\":1}",
        "qwen3 | Hi | {\"a\":1} | false | | {\"a\":1}",
        "qwen3 | <think>\\n | Is 3 < 4?\\n</think>\\n\\n{\"a\":1} | true | Is 3 < 4? | {\"a\":1}",
        "qwen3 | <think>\\n\\n</think>\\n\\n | {\"a\":1} | | | {\"a\":1}",
        "deepseek_r1 | Hi | Is 3 < 4?\\n</think>\\n{\"a\":1} | true | Is 3 < 4? | {\"a\":1}",
        "deepseek_r1 | <think></think> | {\"a\":1} | | | {\"a\":1}",
        "mistral | Hi | [THINK]Hm.[/THINK]{\"a\":1} | false | Hm. | {\"a\":1}"})
    void constrainTheAnswerAndNotTheReasoning(String parser, String prompt, String says, Boolean inside, String reasoning,
            String content) {
        FakeEngine thinking = new FakeEngine();
        thinking.codec.ending = prompt.replace("\\n", "\n");
        thinking.says = says.replace("\\n", "\n");
        try (TestServer other = new TestServer(thinking, Map.of("reasoning-parser", parser), TestServer.LIMITS)) {
            Answer answer = other.chat("\"response_format\":{\"type\":\"json_object\"}");
            assertThat(answer.at("choices.0.message.content")).isEqualTo(content);
            assertThat(answer.at("choices.0.message.reasoning")).isEqualTo(reasoning);
            List<Answer> chunks = other.chat("\"stream\":true,\"response_format\":{\"type\":\"json_object\"}").chunks();
            assertThat(joined(chunks, "content")).isEqualTo(content);
            assertThat(joined(chunks, "reasoning")).isEqualTo(reasoning == null ? "" : reasoning);
        }
        OutputConstraint object = new AnyObject(false);
        String begin = parser.equals("mistral") ? "[THINK]" : "<think>";
        assertThat(thinking.submitted).hasSize(2).allSatisfy(running -> assertThat(running.request().sampling().constraint())
                .contains(inside == null
                        ? object
                        : new OutputConstraint.AfterReasoning(begin, begin.replaceFirst("[<\\[]", "$0/"),
                                inside, object)));
    }

    private static String joined(List<Answer> chunks, String field) {
        return chunks.stream().map(chunk -> ((Map<?, ?>) chunk.at("choices.0.delta")).get(field))
                .filter(String.class::isInstance).map(String.class::cast).collect(Collectors.joining());
    }

    @Test
    void constrainAllThatIsSaidWhereReasoningIsAPartOfIt() {
        try (TestServer other = new TestServer(engine, Map.of("reasoning-parser", "deepseek_r1"), TestServer.LIMITS)) {
            other.chat("\"separate_reasoning\":false,\"regex\":\"a\"");
            assertThat(engine.submitted.element().request().sampling().constraint()).contains(new Regex("a"));
        }
    }
}
