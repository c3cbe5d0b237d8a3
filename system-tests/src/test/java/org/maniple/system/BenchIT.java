package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What {@code maniple bench} measures and how it says so; how much it measures depends on the machine. */
class BenchIT {

    private static final Distribution DISTRIBUTION = Distribution.find();

    private static List<JsonNode> bench(String... arguments) {
        var words = new ArrayList<>(List.of("bench"));
        words.addAll(List.of(arguments));
        words.addAll(List.of("--output", "json"));
        String text = Command.maniple(DISTRIBUTION, words.toArray(String[]::new)).succeeded().text();
        JsonNode results = new JsonMapper().readTree(text.substring(text.indexOf("\n[") + 1));
        return results.valueStream().toList();
    }

    @Test
    void kernelsAreMeasuredBesideTheMemorysBandwidth() {
        List<JsonNode> results = bench("kernels", "--types", "Q8_0,BF16", "--shapes", "64x256", "--rows", "1,3", "--memory",
                "1MiB", "--seconds", "0.01", "--threads", "1");

        assertThat(results).extracting(result -> result.get("type").asString() + " " + result.get("rows").asInt())
                .containsExactly("Q8_0 1", "Q8_0 3", "BF16 1", "BF16 3");
        assertThat(results).allSatisfy(result -> {
            assertThat(result.get("n_threads").asInt()).isEqualTo(1);
            assertThat(result.get("kernel").asString()).isNotBlank();
            assertThat(result.get("seconds").asDouble()).isPositive();
            assertThat(result.get("read_bytes_per_second").asDouble()).isPositive();
            assertThat(result.get("share_of_bandwidth").asDouble()).isPositive();
        });
    }

    @Test
    void aModelIsMeasuredWithPromptsAndAnswersLikeLlamaBench() {
        List<JsonNode> results = bench("model", DISTRIBUTION.demoModel().toString(), "-p", "16", "-n", "64", "-r", "2",
                "--threads", "1", "--kv-cache-memory-bytes", "32MiB");

        assertThat(results).extracting(result -> result.get("n_prompt").asInt() + " " + result.get("n_gen").asInt())
                .containsExactly("16 0", "0 64");
        assertThat(results).allSatisfy(result -> assertThat(result.get("avg_ts").asDouble()).isPositive());
    }
}
