package org.maniple.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.tensor.DType;

/** Checkpoints of every architecture, converted to GGUF without loss, give what the reference implementation gives for them. */
class GgufArchitecturesTest {

    @TempDir
    private Path folder;

    static List<String> oracles() {
        return List.of("llama-plain", "llama-gqa-rope3-sharded", "llama-tied-bias-bf16", "mistral-window", "mixtral", "qwen2",
                "qwen3-tied", "qwen3-moe", "qwen3-moe-sparse", "gemma3", "deepseek-v2-lite", "deepseek-v2-group", "deepseek-v3",
                "deepseek-v3-mtp-bf16", "glm4-moe", "gpt-oss-bf16", "olmoe");
    }

    static Stream<String> references() {
        return Stream.of("granite", "granite-moe", "kimi-k2", "qwen2-moe");
    }

    @ParameterizedTest
    @MethodSource("oracles")
    void matchesTheOracle(String name) throws IOException {
        check(Oracles.model(name), Layout.of(1, 1), false);
    }

    @ParameterizedTest
    @MethodSource("references")
    void matchesTheCommittedReference(String name) throws IOException {
        check(Oracles.reference(name), Layout.of(1, 1), false);
    }

    @ParameterizedTest
    @ValueSource(strings = {"deepseek-v2-lite", "deepseek-v3"})
    void matchesWithTheMapsOfLatentsApart(String name) throws IOException {
        check(Oracles.model(name), Layout.of(2, 1), true);
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen3-moe", "gpt-oss-bf16", "mixtral"})
    void matchesWithExpertsSpreadOverRanks(String name) throws IOException {
        check(Oracles.model(name), Layout.of(2, 1).experts(), false);
    }

    private void check(Path model, Layout layout, boolean splitLatentMaps) throws IOException {
        Path file = folder.resolve("model.gguf");
        GgufConverter.convert(model, DType.F32, splitLatentMaps).write(file);
        for (String name : List.of("expected.json", "expected.safetensors")) {
            Files.copy(model.resolve(name), folder.resolve("model." + name), StandardCopyOption.REPLACE_EXISTING);
        }
        ReferenceCheck.check(file, layout);
    }
}
