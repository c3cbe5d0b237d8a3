package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.ManipleException;
import org.maniple.api.engine.Pooling;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.RefusedException.Reason;
import org.maniple.serve.openai.TestServer.Answer;

/** {@code /v1/embeddings}. The engine's vector of a text is (its length in tokens, its last token, 0.5, -2). */
@Timeout(60)
class EmbeddingsTest {

    private final FakeEngine engine = new FakeEngine();
    private TestServer server = new TestServer(engine);

    @AfterEach
    void close() {
        server.close();
    }

    private void restart(Map<String, Object> settings) {
        server.serving.close();
        server = new TestServer(engine, settings, TestServer.LIMITS);
    }

    private Answer embed(String fields) {
        return server.post("/v1/embeddings", "{" + fields + "}");
    }

    private static List<Double> numbers(Answer answer, int index) {
        return ((List<?>) answer.at("data." + index + ".embedding")).stream().map(value -> ((Number) value).doubleValue())
                .toList();
    }

    @Test
    void answersWithEveryField() {
        Answer answer = embed("\"input\":\"Hi\",\"model\":\"toy\",\"normalize\":false");
        assertThat(answer.status()).as(answer.body()).isEqualTo(200);
        assertThat(answer.json().keySet()).containsExactly("id", "object", "created", "model", "data", "usage");
        assertThat((String) answer.at("id")).matches("embd-[0-9a-f]{32}");
        assertThat(answer.at("object")).isEqualTo("list");
        assertThat(answer.at("data").toString()).isEqualTo("[{index=0, object=embedding, embedding=[3.0, 105.0, 0.5, -2.0]}]");
        assertThat(answer.at("usage").toString())
                .isEqualTo("{prompt_tokens=3, total_tokens=3, completion_tokens=0, prompt_tokens_details=null}");
        assertThat(engine.submitted.element().request().pooling()).contains(Pooling.LAST);
    }

    @Test
    void vectorsHaveTheLengthOne() {
        List<Double> numbers = numbers(embed("\"input\":\"Hi\""), 0);
        assertThat(Math.sqrt(numbers.stream().mapToDouble(x -> x * x).sum())).isCloseTo(1, within(1e-6));
        assertThat(numbers.get(3) / numbers.get(2)).isCloseTo(-4, within(1e-6));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"'\"Hi\"' | 3", "'[\"Hi\",\"Hey\"]' | 3 4", "'[72,105]' | 2",
        "'[[72],[72,105,33]]' | 1 3"})
    void takesTextsAndTokens(String input, String lengths) {
        Answer answer = embed("\"normalize\":false,\"input\":" + input);
        List<?> data = (List<?>) answer.at("data");
        assertThat(IntStream.range(0, data.size()).mapToObj(i -> "" + numbers(answer, i).getFirst().intValue())
                .collect(Collectors.joining(" "))).isEqualTo(lengths);
        assertThat(data.stream().map(each -> ((Map<?, ?>) each).get("index")))
                .isEqualTo(IntStream.range(0, data.size()).boxed().toList());
    }

    @Test
    void takesChatsAndDropsWhatIsTooLongIfItMay() {
        assertThat(server.post("/v1/embeddings", TestServer.chatBody("")).at("usage.prompt_tokens")).isEqualTo(26);
        assertThat(embed("\"input\":\"Hello\",\"truncate_prompt_tokens\":2").at("usage.prompt_tokens")).isEqualTo(2);
        assertThat(embed("\"input\":\"Hi\",\"add_special_tokens\":false").at("usage.prompt_tokens")).isEqualTo(2);
        assertThat(embed("\"input\":\"" + "x".repeat(FakeEngine.CONTEXT - 1) + "\"").status()).as("as long as the context")
                .isEqualTo(200);
        assertThat(embed("\"input\":\"" + "x".repeat(FakeEngine.CONTEXT) + "\"").message()).isEqualTo(
                "This model's maximum context length is 256 tokens. However, you requested 257 tokens in the input for embedding"
                        + " generation. Please reduce the length of the input.");
    }

    @Test
    void writesBase64AsTheClientOfOpenAiReadsIt() {
        Answer answer = embed("\"input\":\"Hi\",\"encoding_format\":\"base64\",\"normalize\":false");
        ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode((String) answer.at("data.0.embedding")))
                .order(ByteOrder.LITTLE_ENDIAN);
        assertThat(List.of(bytes.getFloat(), bytes.getFloat(), bytes.getFloat(), bytes.getFloat())).containsExactly(3f, 105f,
                0.5f, -2f);
        assertThat(bytes.hasRemaining()).isFalse();
    }

    @Test
    void cutsVectorsOfModelsThatWereTrainedForIt() {
        assertThat(embed("\"input\":\"Hi\",\"dimensions\":2").message())
                .startsWith("Model \"/models/toy\" does not support matryoshka"
                        + " representation, changing output dimensions will lead to poor results.");
        HashMap<String, Object> settings = new HashMap<>(Map.of("matryoshka-dimensions", List.of(2, 4)));
        restart(settings);
        List<Double> numbers = numbers(embed("\"input\":\"Hi\",\"dimensions\":2"), 0);
        assertThat(numbers).hasSize(2);
        assertThat(numbers.get(1) / numbers.get(0)).isCloseTo(35, within(1e-4));
        assertThat(Math.hypot(numbers.get(0), numbers.get(1))).isCloseTo(1, within(1e-6));
        assertThat(embed("\"input\":\"Hi\",\"dimensions\":3").message()).contains("must be one of [2, 4], got [3]");
    }

    @Test
    void poolsAsItIsToldTo(@TempDir Path folder) throws IOException {
        restart(Map.of("pooling", "mean"));
        embed("\"input\":\"Hi\"");
        assertThat(engine.submitted.element().request().pooling()).contains(Pooling.MEAN);
        restart(Map.of("pooling", "none"));
        assertThat(embed("\"input\":\"Hi\"").message()).startsWith("The model does not support Embeddings API");
        Files.createDirectories(folder.resolve("1_Pooling"));
        Path file = folder.resolve("1_Pooling/config.json");
        engine.path = folder.toString();
        Files.writeString(file,
                "{\"word_embedding_dimension\":4,\"pooling_mode_mean_tokens\":true,\"pooling_mode_lasttoken\":false}");
        engine.submitted.clear();
        restart(Map.of());
        embed("\"input\":\"Hi\"");
        assertThat(engine.submitted.element().request().pooling()).contains(Pooling.MEAN);
        Files.writeString(file, "{\"pooling_mode_cls_token\":true}");
        assertThatThrownBy(() -> new TestServer(engine, Map.of(), TestServer.LIMITS)).isInstanceOf(ManipleException.class)
                .hasMessage("[" + file + "] asks for neither the last token nor the mean; say --pooling last, mean, or none");
    }

    @Test
    void aLongListIsTheEnginesAFewAtATime() {
        String input = IntStream.range(0, 300).mapToObj(i -> "[" + (i % 200 + 1) + "]").collect(Collectors.joining(","));
        Answer answer = embed("\"normalize\":false,\"input\":[" + input + "]");
        assertThat(answer.status()).isEqualTo(200);
        for (int i = 0; i < 300; i++) {
            assertThat(numbers(answer, i).get(1)).isEqualTo(i % 200 + 1);
        }
        engine.submitted.clear();
        engine.behaviour = running -> running.cancelled().await();
        CompletableFuture<Answer> asked = CompletableFuture.supplyAsync(() -> embed("\"timeout\":1,\"input\":[" + input + "]"));
        assertThat(asked.join().status()).isEqualTo(504);
        assertThat(engine.submitted).hasSize(32).allSatisfy(running -> assertThat(running.isCancelled()).isTrue());
    }

    @Test
    void saysHowMuchCameFromTheCache() {
        engine.cachedTokens = 2;
        assertThat(embed("\"input\":[\"Hi\",\"Ho\"]").at("usage.prompt_tokens_details.cached_tokens")).isEqualTo(4);
    }

    @Test
    void whatTheEngineRefusesOrCannotEndIsAnError() throws Exception {
        engine.refusal = Optional.of(new RefusedException(Reason.INVALID, "This model gives no embeddings: because"));
        assertThat(embed("\"input\":\"Hi\"").message()).isEqualTo("This model gives no embeddings: because");
        engine.refusal = Optional.empty();
        engine.behaviour = engine::die;
        assertThat(embed("\"input\":\"Hi\"").error()).containsEntry("type", "EngineDeadError");
        engine.submitted.clear();
        engine.behaviour = running -> running.cancelled().await();
        String body = "{\"input\":\"Hi\"}";
        RawClient leaving = new RawClient(server);
        leaving.send("POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                + body.length() + "\r\n\r\n" + body);
        while (engine.submitted.isEmpty()) {
            Thread.sleep(2);
        }
        leaving.close();
        assertThat(engine.submitted.element().cancelled().await(20, TimeUnit.SECONDS)).isTrue();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"'' | input", "'\"input\":[]' | input", "'\"input\":7' | input",
        "'\"input\":[\"x\",7]' | input",
        "'\"input\":[258]' | input", "'\"input\":\"x\",\"encoding_format\":\"hex\"' | encoding_format",
        "'\"input\":\"x\",\"dimensions\":0' | dimensions", "'\"input\":\"x\",\"model\":\"other\"' | model",
        "'\"input\":\"x\",\"normalize\":1' | normalize"})
    void refusesWhatMakesNoSense(String fields, String param) {
        Answer answer = embed(fields);
        assertThat(answer.status()).isIn(400, 404);
        assertThat(answer.error()).containsEntry("param", param);
        assertThat(engine.submitted).isEmpty();
    }
}
