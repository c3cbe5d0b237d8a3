package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A published chat model, SmolLM2, over HTTP at temperature 1.5 under ten JSON schemas: every answer that ends by {@code stop} satisfies somebody
 * else's validator, and at least 95 % end so. Seeds from {@code maniple.first.seed} on, as many as {@code maniple.seeds} says; the profile
 * {@code schemas} has 200. Skipped where the model is not ({@code -Dmaniple.models=DIR}).
 */
class SchemasIT {

    private static final int SEEDS = Integer.getInteger("maniple.seeds", 3);
    private static final int FIRST = Integer.getInteger("maniple.first.seed", 0);
    private static final int TOGETHER = 50;
    private static final double SHARE = 0.95;
    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final Path TOP = Path.of(System.getProperty("maniple.top", "..")).toAbsolutePath();
    private static final Path MODEL = Path.of(System.getProperty("maniple.models", TOP.resolve("../shared/models").toString()))
            .resolve("SmolLM2-135M-Instruct.Q4_1.gguf").normalize();

    @TempDir
    private Path folder;

    private record Asked(JsonNode schema, int seed, CompletableFuture<JsonNode> reply) {}

    @Test
    void answersThatEndByThemselvesAreValidAndNearlyAllDo() throws IOException {
        Assumptions.assumeTrue(Files.isRegularFile(MODEL), "skipped: there is no " + MODEL + " (-Dmaniple.models=DIR)");
        List<JsonNode> schemas = new JsonMapper()
                .readTree(TOP.resolve("integration-tests/src/test/resources/ten-schemas.json").toFile()).valueStream().toList();
        UnitSpec spec = UnitSpec.of(MODEL).with("served-model-name", "smollm2").with("kv-cache-memory-bytes", "2GiB")
                .with("threads", 2).with("max-num-seqs", 64);
        Map<String, int[]> counts = new LinkedHashMap<>();
        try (UnitProcess unit = UnitProcess.ready(Distribution.find(), spec, folder)) {
            Api api = new Api(unit.awaitReady(), LIMIT);
            List<Asked> batch = new ArrayList<>();
            for (int i = 0; i < SEEDS * schemas.size(); i++) {
                JsonNode schema = schemas.get(i % schemas.size());
                int seed = FIRST + i / schemas.size();
                batch.add(new Asked(schema, seed, api.postLater("/v1/chat/completions", request(schema, seed))));
                if (batch.size() == TOGETHER || i == SEEDS * schemas.size() - 1) {
                    batch.forEach(asked -> count(asked, counts));
                    batch.clear();
                }
            }
        }
        counts.forEach((name, count) -> System.out.printf(Locale.ROOT, "%s: %d of %d ended by stop, all valid%n", name, count[0],
                count[1]));
        int stopped = counts.values().stream().mapToInt(count -> count[0]).sum();
        int all = counts.values().stream().mapToInt(count -> count[1]).sum();
        System.out.printf(Locale.ROOT, "SmolLM2 at temperature 1.5: %d of %d answers ended by stop (%.2f %%), all valid%n",
                stopped, all,
                100.0 * stopped / all);
        assertThat((double) stopped / all).isGreaterThanOrEqualTo(SHARE);
    }

    private static Map<String, Object> request(JsonNode schema, int seed) {
        return Map.of("model", "smollm2", "messages", List.of(Map.of("role", "user", "content", schema.get("prompt").asString())),
                "temperature", 1.5, "seed", seed, "max_tokens", 700, "response_format",
                Map.of("type", "json_schema", "json_schema",
                        Map.of("name", "answer", "strict", true, "schema", schema.get("schema"))));
    }

    private static void count(Asked asked, Map<String, int[]> counts) {
        JsonNode choice = Api.await(asked.reply(), LIMIT).get("choices").get(0);
        String reason = choice.get("finish_reason").asString();
        String text = choice.get("message").get("content").asString();
        String name = asked.schema().get("name").asString();
        assertThat(reason).as("%s, seed %d: %s", name, asked.seed(), text).isIn("stop", "length");
        int[] count = counts.computeIfAbsent(name, each -> new int[2]);
        count[1]++;
        if (reason.equals("stop")) {
            count[0]++;
            Schema validator = SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                    .getSchema(asked.schema().get("schema").toString(), InputFormat.JSON);
            assertThat(validator.validate(text, InputFormat.JSON,
                    context -> context.executionConfig(config -> config.formatAssertionsEnabled(true))))
                    .as("%s, seed %d: %s", name, asked.seed(), text).isEmpty();
        }
    }
}
