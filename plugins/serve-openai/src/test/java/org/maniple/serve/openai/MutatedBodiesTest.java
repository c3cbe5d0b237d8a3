package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.maniple.serve.openai.TestServer.Answer;

/**
 * Bodies in which something was changed at random get an answer or a 4xx, and never harm the server. {@code -Dmaniple.fuzz=100000}
 * tries more of them.
 */
class MutatedBodiesTest {

    private static final long SEED = 20261123;

    private record Sample(String path, String body) {}

    private static final List<Sample> SAMPLES = List.of(
            new Sample("/v1/chat/completions",
                    """
                            {"model":"toy","messages":[{"role":"system","content":"Be kind."},{"role":"user","content":[{"type":"text","text":"Hi ü"}]},
                            {"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\\"a\\":1}"}}]},
                            {"role":"tool","content":"2","tool_call_id":"1"}],"max_tokens":5,"temperature":0.7,"top_p":0.9,"top_k":5,"min_p":0.1,
                            "seed":17,"stop":["a","b"],"stop_token_ids":[3],"logit_bias":{"5":-1.5},"n":2,"tools":[{"type":"function","function":{
                            "name":"f","parameters":{"type":"object"}}}],"chat_template_kwargs":{"x":true}}"""),
            new Sample("/v1/chat/completions",
                    """
                            {"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"So"}],"continue_final_message":true,"echo":true,
                            "add_generation_prompt":false,"stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true},
                            "logprobs":true,"top_logprobs":3,"return_token_ids":true,"max_completion_tokens":4,"bad_words":["x y"]}"""),
            new Sample("/v1/completions",
                    """
                            {"prompt":["Hello","wörld"],"max_tokens":3,"echo":true,"logprobs":2,"prompt_logprobs":1,"repetition_penalty":1.1,
                            "presence_penalty":-0.5,"frequency_penalty":0.5,"truncate_prompt_tokens":-1,"min_tokens":1,"allowed_token_ids":[1,2]}"""),
            new Sample("/v1/completions",
                    """
                            {"prompt":[[1,2,3],[4]],"n":2,"stream":true,"ignore_eos":true,"skip_special_tokens":false,"request_id":"r-1","priority":0}"""),
            new Sample("/tokenize", "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"return_token_strs\":true}"),
            new Sample("/detokenize", "{\"model\":\"toy\",\"tokens\":[72,105,256]}"),
            new Sample("/abort_request", "{\"rid\":\"r-1\",\"abort_all\":false}"));

    private static final List<String> PIECES = List.of("null", "true", "-1", "0", "1e999", "NaN", "9223372036854775808", "\"\"",
            "[]", "{}",
            "[[[[[[[[", "}}", "\\ud800", "\\u0000", "\"x\":", ",", ":", "\"", "\\", "1".repeat(120), "2147483648", "0.5");

    @Test
    void getAnAnswerOrAreRefused() {
        int count = Integer.getInteger("maniple.fuzz", 1000);
        Random random = new Random(SEED);
        FakeEngine engine = new FakeEngine();
        int accepted = 0;
        try (TestServer server = new TestServer(engine)) {
            for (int i = 0; i < count; i++) {
                Sample sample = SAMPLES.get(random.nextInt(SAMPLES.size()));
                byte[] body = sample.body().getBytes(StandardCharsets.UTF_8);
                for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
                    body = changed(body, random);
                }
                Answer answer = server.send(server.request(sample.path()).header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(body)).build());
                assertThat(answer.status())
                        .as("number " + i + ", " + sample.path() + ": " + new String(body, StandardCharsets.UTF_8) + " -> "
                                + answer.body())
                        .isBetween(200, 499);
                if (answer.status() == 200) {
                    accepted++;
                    if (answer.header("content-type").startsWith("text/event-stream")) {
                        assertThat(answer.events().getLast()).isEqualTo("[DONE]");
                    }
                } else {
                    assertThat(answer.error().keySet()).containsExactly("message", "type", "param", "code");
                }
                engine.submitted.clear();
            }
            assertThat(server.chat("").status()).isEqualTo(200);
        }
        assertThat(accepted).as("some changes do no harm, most do").isBetween(count / 100, count * 9 / 10);
    }

    private static byte[] changed(byte[] body, Random random) {
        if (body.length == 0) {
            return new byte[] {(byte) random.nextInt(256)};
        }
        int from = random.nextInt(body.length);
        int to = Math.min(body.length, from + 1 + random.nextInt(8));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(body, 0, from);
        switch (random.nextInt(6)) {
            case 0 -> out.write(random.nextInt(256));
            case 1 -> out.writeBytes(PIECES.get(random.nextInt(PIECES.size())).getBytes(StandardCharsets.UTF_8));
            case 2 -> {
                out.write(body, from, to - from);
                to = from;
            }
            case 3 -> {
                out.write(body[from] ^ 1 << random.nextInt(8));
                to = from + 1;
            }
            case 4 -> to = withValue(body, from, out, random);
            default -> {
                // Left out.
            }
        }
        if (to < body.length) {
            out.write(body, to, body.length - to);
        }
        return out.toByteArray();
    }

    /** Puts a value and another key after the next colon, so that the result is often JSON. Returns where the rest begins. */
    private static int withValue(byte[] body, int from, ByteArrayOutputStream out, Random random) {
        int colon = from;
        while (colon < body.length && body[colon] != ':') {
            colon++;
        }
        int rest = Math.min(body.length, colon + 1);
        out.write(body, from, rest - from);
        out.writeBytes(
                (PIECES.get(random.nextInt(10)) + ",\"extra" + random.nextInt(1000) + "\":").getBytes(StandardCharsets.UTF_8));
        return rest;
    }
}
