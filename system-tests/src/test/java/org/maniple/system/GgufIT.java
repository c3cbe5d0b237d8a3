package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** A GGUF file alone is served: its weights, its tokenizer and its chat template, by several processes. */
class GgufIT {

    private static final String NAME = "llama-q4_k_m";

    @Test
    void aFileIsServedAsItIs(@TempDir Path folder) throws IOException {
        Path file = Oracles.directory().resolve("gguf").resolve(NAME + ".gguf");
        Path described = Files.createDirectory(folder.resolve("expected"));
        Files.copy(file.resolveSibling(NAME + ".expected.json"), described.resolve("expected.json"));
        Expected expected = Expected.of(described);
        UnitSpec spec = UnitSpec.of(file).with("served-model-name", "gguf").with("tensor-parallel-size", 2)
                .with("activation-dtype", "f32");

        try (UnitProcess unit = UnitProcess.ready(Distribution.find(), spec, folder)) {
            Api api = unit.api();
            OracleCheck.checkPrompts(api, expected);
            expected.tokenizerCases().forEach((text, ids) -> assertThat(
                    Expected.ids(api.post("/tokenize", Map.of("model", "gguf", "prompt", text)).get("tokens"))).isEqualTo(ids));
            JsonNode answer = api.post("/v1/chat/completions", Map.of("model", "gguf", "max_tokens", 4, "messages",
                    List.of(Map.of("role", "user", "content", "Hello"))));
            assertThat(answer.get("usage").get("completion_tokens").asInt()).isBetween(1, 4);
        }
    }
}
