package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.RefusedException.Reason;
import org.maniple.serve.openai.TestServer.Answer;

/** The words in which requests are refused; clients match on some of them. */
class RefusalTest {

    private final FakeEngine engine = new FakeEngine();
    private final TestServer server = new TestServer(engine);

    @AfterEach
    void close() {
        server.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"model\":\"x\" | 404 | NotFoundError | model | The model `x` does not exist.",
        "\"stream_options\":{} | 400 | BadRequestError | stream_options | Stream options can only be defined when `stream=True`.",
        "\"top_logprobs\":2 | 400 | BadRequestError | top_logprobs | when using `top_logprobs`, `logprobs` must be set to true.",
        "\"prompt_logprobs\":1,\"stream\":true | 400 | BadRequestError | prompt_logprobs"
                + " | prompt_logprobs are not available when `stream=True`.",
        "\"continue_final_message\":true,\"add_generation_prompt\":true | 400 | BadRequestError | continue_final_message"
                + " | Cannot set both `continue_final_message` and `add_generation_prompt` to True.",
        "\"max_tokens\":250 | 400 | BadRequestError | max_tokens | This model's maximum context length is 256 tokens. However, you requested"
                + " 276 tokens (26 in the messages, 250 in the completion). Please reduce the length of the messages or completion.",
        "\"min_tokens\":3,\"max_tokens\":2 | 400 | BadRequestError | min_tokens"
                + " | `min_tokens` must be less than or equal to max_tokens=2, got 3.",
        "\"temperature\":-1 | 400 | BadRequestError | temperature | `temperature` must be a number from 0 to 100, got [-1].",
        "\"top_p\":0 | 400 | BadRequestError | top_p | `top_p` must be greater than 0, got [0.0].",
        "\"stop\":[\"a\",\"\"] | 400 | BadRequestError | stop | `stop` cannot contain an empty string.",
        "\"stream\":1 | 400 | BadRequestError | stream | `stream` must be true or false, got [1].",
        "\"tool_choice\":\"required\" | 400 | BadRequestError | tool_choice"
                + " | `tool_choice` is \"required\", but there are no `tools`.",
        "\"tool_choice\":1 | 400 | BadRequestError | tool_choice | `tool_choice` must be \"none\", \"auto\", \"required\" or"
                + " {\"type\": \"function\", \"function\": {\"name\": …}}, got [1].",
        "\"response_format\":{\"type\":\"structural_tag\"} | 400 | BadRequestError | response_format.type"
                + " | `response_format.type` can only be \"text\", \"json_object\" or \"json_schema\", got [structural_tag].",
        "\"chat_template_kwargs\":{\"tools\":[]} | 400 | BadRequestError | chat_template_kwargs.tools"
                + " | `chat_template_kwargs.tools` belongs to the server and cannot be set as a variable of the template.",
        "\"stream\":true,\"stream_options\":{\"include_usage\":3} | 400 | BadRequestError | stream_options.include_usage"
                + " | `stream_options.include_usage` must be true or false, got [3].",
    })
    void says(String fields, int status, String type, String param, String message) {
        Answer answer = server.chat(fields);
        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.json().keySet()).containsExactly("error");
        assertThat(answer.error().toString())
                .isEqualTo("{message=" + message + ", type=" + type + ", param=" + param + ", code=" + status + "}");
        assertThat(engine.submitted).isEmpty();
    }

    @Test
    void countsThePromptAloneIfTheLimitIsLeftOpen() {
        String ids = IntStream.range(0, 256).mapToObj(i -> "1").collect(Collectors.joining(","));
        Answer answer = server.post("/v1/chat/completions",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"" + "x".repeat(300) + "\"}]}");
        assertThat(answer.message())
                .startsWith("This model's maximum context length is 256 tokens. However, you requested 324 tokens");
        assertThat(server.complete("\"prompt\":[" + ids + "],\"max_tokens\":1").message())
                .startsWith(
                        "This model's maximum context length is 256 tokens. However, you requested 257 tokens (256 in the prompt");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"structural_tag\":\"x\"", "\"stop_regex\":\"x\"", "\"best_of\":2", "\"use_beam_search\":true",
        "\"lora_path\":\"x\"", "\"suffix\":\"x\"",
        "\"kv_transfer_params\":{\"do_remote_decode\":true}", "\"bootstrap_room\":1",
        "\"chat_template\":\"{{ x }}\"", "\"return_hidden_states\":true", "\"modalities\":[\"audio\"]"})
    void namesFieldsThatItDoesNotKnowYet(String field) {
        Answer answer = server.chat(field);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.error()).containsEntry("param", field.substring(1, field.indexOf('"', 1)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"structured_outputs\":null", "\"guided_json\":null", "\"best_of\":1", "\"use_beam_search\":false",
        "\"response_format\":{\"type\":\"text\"}", "\"tools\":[]", "\"tool_choice\":\"none\"", "\"parallel_tool_calls\":true",
        "\"metadata\":{\"a\":\"b\"}", "\"n\":null", "\"temperature\":-0.0", "\"modalities\":[\"text\"]", "\"unknown_field\":17"})
    void acceptsFieldsThatAskForNothing(String field) {
        assertThat(server.chat(field).status()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{", "{}x", "{\"a\":1}{}", "{\"a\":1,\"a\":2}", "nul", "{\"a\":NaN}", "{\"a\":Infinity}",
        "{\"a\":1e999}", "{'a':1}", "{\"a\":01}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\u0001\"}", "\uFEFF{}", "{\"a\":1,}"})
    void refusesWhatIsNotOneJsonObject(String body) {
        Answer answer = server.post("/v1/chat/completions", body);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.message()).startsWith("The body ");
    }

    @Test
    void boundsTheDepthAndTheNumbersOfJson() {
        assertThat(server.chat("\"metadata\":" + "[".repeat(63) + "]".repeat(63)).status()).isEqualTo(200);
        assertThat(server.chat("\"metadata\":" + "[".repeat(64) + "]".repeat(64)).status()).isEqualTo(400);
        assertThat(server.post("/v1/chat/completions", "[".repeat(100_000)).status()).isEqualTo(400);
        assertThat(server.chat("\"seed\":" + "1".repeat(100_000)).status()).isEqualTo(400);
    }

    @Test
    void boundsTheNumberOfValuesOfJson() {
        try (TestServer wide = new TestServer(new FakeEngine(), Map.of(), HttpLimits.standard(32 << 20))) {
            assertThat(wide.chat("\"metadata\":[" + "0,".repeat(900_000) + "0]").status()).isEqualTo(200);
            assertThat(wide.chat("\"metadata\":[" + "0,".repeat(1_000_000) + "0]").status()).isEqualTo(400);
            StringBuilder keys = new StringBuilder("\"metadata\":{\"k\":0");
            for (int i = 0; i < 1_000_000; i++) {
                keys.append(",\"k").append(i).append("\":0");
            }
            assertThat(wide.chat(keys.append('}').toString()).status()).isEqualTo(400);
        }
    }

    @Test
    void refusesMessagesThatAreNone() {
        for (String messages : new String[] {"null", "[]", "{}", "[1]", "[{}]", "[{\"role\":1}]",
            "[{\"role\":\"user\",\"content\":1}]",
            "[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"http://127.0.0.1/\"}}]}]",
            "[{\"role\":\"user\",\"content\":[1]}]",
            "[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"arguments\":\"x\"}}]}]"}) {
            assertThat(server.post("/v1/chat/completions", "{\"messages\":" + messages + "}").status()).as(messages)
                    .isEqualTo(400);
        }
    }

    @Test
    void saysWhatTheTemplateRefused() {
        Answer answer = server.post("/v1/chat/completions", "{\"messages\":[{\"role\":\"forbidden\",\"content\":\"x\"}]}");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.message()).isEqualTo("the chat template refuses the role [forbidden]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "[]", "{}", "1", "true", "[null]", "[true]", "[\"a\",1]", "[\"a\",null]", "[[1],\"a\"]",
        "[[]]", "[-1]",
        "[258]", "[2147483647]", "[9223372036854775807]", "[1.5]", "[[258]]", "[[[1]]]"})
    void refusesPromptsThatAreNone(String prompt) {
        Answer answer = server.complete("\"prompt\":" + prompt);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.error()).containsEntry("param", "prompt");
        assertThat(engine.submitted).isEmpty();
    }

    @Test
    void boundsTheNumberOfAnswers() {
        String prompts = IntStream.range(0, 129).mapToObj(i -> "[1]").collect(Collectors.joining(","));
        assertThat(server.complete("\"prompt\":[" + prompts + "]").message())
                .isEqualTo("`prompt` has 129 prompts; at most 128 are allowed.");
        assertThat(server.complete("\"prompt\":[" + prompts.substring(0, 4 * 9 - 1) + "],\"n\":16").error())
                .containsEntry("param", "n");
    }

    @ParameterizedTest
    @CsvSource({"INVALID,400,BadRequestError,", "UNAVAILABLE,503,ServiceUnavailableError,5",
        "OVERLOADED,503,ServiceUnavailableError,1"})
    void passesOnThatTheEngineRefuses(Reason reason, int status, String type, String retryAfter) {
        engine.refusal = Optional.of(new RefusedException(reason, "because"));
        for (String stream : new String[] {"false", "true"}) {
            Answer answer = server.chat("\"stream\":" + stream);
            assertThat(answer.status()).isEqualTo(status);
            assertThat(answer.error().toString())
                    .isEqualTo("{message=because, type=" + type + ", param=null, code=" + status + "}");
            assertThat(answer.header("retry-after")).isEqualTo(retryAfter == null ? "" : retryAfter);
            assertThat(answer.header("retry-after-ms")).isEqualTo(retryAfter == null ? "" : retryAfter + "000");
        }
    }

    @Test
    void hidesWhatWentWrongInside() {
        engine.refusal = Optional.of(new IllegalStateException("/secret/path"));
        Answer answer = server.chat("");
        assertThat(answer.status()).isEqualTo(500);
        assertThat(answer.body()).doesNotContain("secret").contains(answer.header("x-request-id"));
    }
}
