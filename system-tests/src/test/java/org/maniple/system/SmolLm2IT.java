package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A published chat model, SmolLM2, over HTTP: with its own template, its nine heads over three of keys and values spread over one, two and three
 * processes. Skipped where the model is not ({@code -Dmaniple.models=DIR}).
 */
class SmolLm2IT {

    private static final Path FOLDER = folder();
    private static final Path MODEL = FOLDER.resolve("SmolLM2-135M-Instruct.Q4_1.gguf");
    /** Where the reference tells its best token from the next by less, another order of sums may choose the other one. */
    private static final double CLEAR = 0.02;
    /** What a process may need beside its share of the weights and its KV cache. */
    private static final long OWN = 250_000_000;
    private static final long KV = 64L << 20;

    @TempDir
    private Path folder;

    private static Path folder() {
        String given = System.getProperty("maniple.models", "");
        return given.isEmpty()
                ? Path.of(System.getProperty("maniple.top", "..")).toAbsolutePath().resolve("../shared/models").normalize()
                : Path.of(given);
    }

    @BeforeEach
    void modelIsThere() {
        Assumptions.assumeTrue(Files.isRegularFile(MODEL), "skipped: there is no " + MODEL + " (-Dmaniple.models=DIR)");
    }

    /** Float activations give the reference's texts; rounded ones may choose other words, of which SmolLm2Test checks how far off they are; {@code -Dmaniple.layouts=all} for all of both. */
    static Stream<Arguments> units() {
        boolean all = System.getProperty("maniple.layouts", "").equals("all");
        return Stream.of(Arguments.of(1, "f32"), Arguments.of(2, "auto"), Arguments.of(3, "f32"), Arguments.of(1, "auto"),
                Arguments.of(2, "f32"), Arguments.of(3, "auto")).limit(all ? 6 : 3);
    }

    @ParameterizedTest(name = "{0} ranks, activations {1}")
    @MethodSource("units")
    void answersChatsWithinItsMemory(int ranks, String activations) throws IOException {
        UnitSpec spec = UnitSpec.of(MODEL).with("served-model-name", "smollm2").with("tensor-parallel-size", ranks)
                .with("activation-dtype", activations).with("kv-cache-memory-bytes", KV);
        try (UnitProcess unit = UnitProcess.ready(Distribution.find(), spec, folder)) {
            Api api = unit.api();
            for (JsonNode chat : chats().toList()) {
                JsonNode answer = api.post("/v1/chat/completions", request(chat));
                assertThat(answer.get("usage").get("prompt_tokens").asInt()).as("tokens that the template makes")
                        .isEqualTo(chat.get("prompt_ids").size());
                String text = text(answer);
                if (activations.equals("f32")) {
                    assertThat(text).isEqualTo(chat.get("text").asString());
                } else {
                    assertThat(text).isNotBlank();
                }
            }
            JsonNode first = chats().findFirst().orElseThrow();
            assertThat(stream(api, first)).as("streamed").isEqualTo(text(api.post("/v1/chat/completions", request(first))));
            checkMemory(api, ranks);
        }
    }

    /** Short chats of which every step of the reference is clear. */
    private static Stream<JsonNode> chats() {
        JsonNode runs = new JsonMapper().readTree(FOLDER.resolve("smollm2-golden.json")).get("runs");
        List<JsonNode> clear = runs.get("f32_dequantised_kvf32_nofa").valueStream()
                .filter(run -> run.get("kind").asString().equals("chat"))
                .filter(run -> run.get("ids").size() < 20)
                .filter(run -> run.get("steps").valueStream().allMatch(step -> step.get("gap").asDouble() >= CLEAR)).toList();
        assertThat(clear).hasSizeGreaterThanOrEqualTo(3);
        return clear.stream();
    }

    private static Map<String, Object> request(JsonNode chat) {
        return new HashMap<>(Map.of("model", "smollm2", "messages", chat.get("prompt"), "temperature", 0, "max_tokens",
                chat.get("ids").size()));
    }

    private static String text(JsonNode answer) {
        return answer.get("choices").get(0).get("message").get("content").asString();
    }

    private static String stream(Api api, JsonNode chat) {
        Map<String, Object> request = request(chat);
        request.put("stream", true);
        return api.stream("/v1/chat/completions", request).rest(UnitProcess.END).chatText();
    }

    /** The embedding is the head too, and counted once. */
    private static void checkMemory(Api api, int ranks) throws IOException {
        JsonNode all = api.get("/v1/cluster").get("ranks");
        assertThat(all.size()).isEqualTo(ranks);
        for (JsonNode rank : all) {
            long weights = rank.get("weight_bytes").asLong();
            assertThat(weights).as("weights, packed for the processor").isLessThan(Files.size(MODEL) * 5 / 4);
            long resident = rank.get("resident_bytes").asLong();
            System.out.printf(Locale.ROOT, "SmolLM2, rank %d of %d: weights %,d, KV cache %,d, in memory %,d%n",
                    rank.get("rank").asInt(), ranks, weights, rank.get("kv_bytes").asLong(), resident);
            assertThat(rank.get("kv_bytes").asLong()).isBetween(KV / 2, KV);
            assertThat(resident).as("in memory, by %s", rank).isBetween(1L << 20, weights + rank.get("kv_bytes").asLong() + OWN);
        }
    }
}
