package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.serve.openai.TestServer.Answer;

/** Each numeric field against the same values: what is out of range or of another type is a 400 that names it. */
class FieldTableTest {

    private static final List<String> VALUES = List.of("-1", "0", "1", "2", "16", "17", "20", "21", "100", "101", "2147483647",
            "2147483648",
            "-9223372036854775808", "9223372036854775807", "9223372036854775808", "1e308", "-1e308", "1.5", "0.5", "-0.0",
            "\"1\"", "null",
            "[]", "[1]", "{}", "true", "\"NaN\"");

    /** The values that a field takes; null it takes always. */
    private record Field(String name, Set<String> accepted, String companions) {

        @Override
        public String toString() {
            return name;
        }
    }

    private static final Set<String> SMALL = Set.of("0", "-0.0", "1", "2", "16", "17", "20");
    private static final Set<String> INTS = Set.of("-1", "0", "-0.0", "1", "2", "16", "17", "20", "21", "100", "101",
            "2147483647");

    private final FakeEngine engine = new FakeEngine();
    private final TestServer server = new TestServer(engine);

    @AfterEach
    void close() {
        server.close();
    }

    static List<Field> fields() {
        return List.of(
                new Field("n", Set.of("1", "2", "16"), ""),
                new Field("max_tokens", Set.of("1", "2", "16", "17", "20", "21", "100", "101"), ""),
                new Field("max_completion_tokens", Set.of("1", "2", "16", "17", "20", "21", "100", "101"), ""),
                new Field("min_tokens", Set.of("0", "-0.0", "1", "2", "16", "17", "20", "21", "100", "101"), ""),
                new Field("temperature", Set.of("0", "-0.0", "0.5", "1", "1.5", "2", "16", "17", "20", "21", "100"), ""),
                new Field("top_p", Set.of("0.5", "1"), ""),
                new Field("top_k", INTS, ""),
                new Field("min_p", Set.of("0", "-0.0", "0.5", "1"), ""),
                new Field("repetition_penalty", Set.of("0.5", "1", "1.5", "2", "16", "17", "20", "21", "100"), ""),
                new Field("presence_penalty", Set.of("-1", "0", "-0.0", "0.5", "1", "1.5", "2"), ""),
                new Field("frequency_penalty", Set.of("-1", "0", "-0.0", "0.5", "1", "1.5", "2"), ""),
                new Field("length_penalty", Set.of("-1", "0", "-0.0", "0.5", "1", "1.5", "2", "16", "17", "20", "21", "100"), ""),
                new Field("seed",
                        Set.of("-1", "0", "-0.0", "1", "2", "16", "17", "20", "21", "100", "101", "2147483647", "2147483648",
                                "-9223372036854775808", "9223372036854775807"),
                        ""),
                new Field("top_logprobs", SMALL, ",\"logprobs\":true"),
                new Field("prompt_logprobs", SMALL, ""),
                new Field("truncate_prompt_tokens", Set.of("-1", "1", "2", "16", "17", "20", "21", "100", "101"), ""),
                new Field("priority", INTS, ""),
                new Field("best_of", Set.of("1"), ""),
                new Field("stop_token_ids", Set.of("[]", "[1]"), ""),
                new Field("allowed_token_ids", Set.of("[1]"), ""),
                new Field("logit_bias", Set.of("{}"), ""));
    }

    @ParameterizedTest
    @MethodSource("fields")
    void takesWhatIsInRangeAndNamesTheFieldOtherwise(Field field) {
        for (String value : VALUES) {
            Answer answer = server.chat("\"" + field.name() + "\":" + value + field.companions());
            if (value.equals("null") || field.accepted().contains(value)) {
                assertThat(answer.status()).as(field + " = " + value + ": " + answer.body()).isEqualTo(200);
            } else {
                assertThat(answer.status()).as(field + " = " + value).isEqualTo(400);
                assertThat(answer.error()).as(field + " = " + value).containsEntry("param", field.name());
            }
        }
        assertThat(server.chat("").status()).as("the server still answers").isEqualTo(200);
    }

    @ParameterizedTest
    @MethodSource("lists")
    void boundsLists(Map.Entry<String, String> field) {
        Answer answer = server.chat("\"" + field.getKey() + "\":" + field.getValue());
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.error()).containsEntry("param", field.getKey());
    }

    static List<Map.Entry<String, String>> lists() {
        return List.of(
                Map.entry("stop", "[" + "\"a\",".repeat(16) + "\"a\"]"),
                Map.entry("stop", "\"" + "ü".repeat(129) + "\""),
                Map.entry("stop", "[1]"),
                Map.entry("stop", "{}"),
                Map.entry("bad_words", "[\"\"]"),
                Map.entry("bad_words", "[\" \"]"),
                Map.entry("stop_token_ids", "[258]"),
                Map.entry("stop_token_ids", "[-1]"),
                Map.entry("stop_token_ids", "[" + "1,".repeat(1024) + "1]"),
                Map.entry("allowed_token_ids", "[]"),
                Map.entry("allowed_token_ids", "[258]"),
                Map.entry("logit_bias", "{\"258\":1}"),
                Map.entry("logit_bias", "{\"-1\":1}"),
                Map.entry("logit_bias", "{\"x\":1}"),
                Map.entry("logit_bias", "{\"1\":101}"),
                Map.entry("logit_bias", "{\"1\":\"1\"}"),
                Map.entry("logit_bias", "{\"1\":1,\"01\":1}"),
                Map.entry("logit_bias", "{\"1\":null}"));
    }
}
