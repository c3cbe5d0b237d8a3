package org.maniple.bench.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointFormat;
import org.maniple.checkpoint.gguf.GgufFormat;
import org.maniple.checkpoint.safetensors.SafetensorsFormat;

class ModelWriterTest {

    private static final ModelShape DENSE = new ModelShape("small", "qwen3", 400, 256, 4, 512, 4, 2, 64, 128, 1e6f, false, 1e-6f,
            "qwen2", 0, 0);
    private static final ModelShape EXPERTS = new ModelShape("mixed", "qwen3moe", 400, 256, 2, 96, 4, 2, 64, 128, 1e6f, false,
            1e-6f, "qwen2", 8,
            2);

    @TempDir
    Path folder;

    private static Checkpoint open(CheckpointFormat format, Path model) {
        assertThat(format.accepts(model)).isTrue();
        return format.open(model);
    }

    @ParameterizedTest
    @EnumSource(Mixture.class)
    void aGgufFileHasAllTensorsOfTheModelWithTheirTypes(Mixture mixture) throws IOException {
        for (ModelShape shape : List.of(DENSE, EXPERTS)) {
            Path file = folder.resolve(shape.name() + ".gguf");

            new ModelWriter(shape, 1, bytes -> {}).gguf(file, mixture);

            try (Checkpoint checkpoint = open(new GgufFormat(), file)) {
                assertThat(checkpoint.names()).hasSize(Weight.of(shape).stream().mapToInt(Weight::experts).sum());
                long bytes = Weight.of(shape).stream()
                        .mapToLong(weight -> mixture.of(weight, shape.layers()).bytes(weight.elements())).sum();
                assertThat(Files.size(file)).isGreaterThanOrEqualTo(bytes);
            }
        }
    }

    @Test
    void aSafetensorsFolderHasTheFilesOfAPublishedModel() throws IOException {
        new ModelWriter(EXPERTS, 1, bytes -> {}).safetensors(folder, Mixture.BF16);

        assertThat(folder).isDirectoryContaining("glob:**config.json").isDirectoryContaining("glob:**tokenizer.json");
        try (Checkpoint checkpoint = open(new SafetensorsFormat(), folder)) {
            assertThat(checkpoint.names()).contains("model.embed_tokens.weight", "model.layers.1.mlp.experts.7.down_proj.weight",
                    "model.layers.0.mlp.gate.weight", "model.norm.weight");
        }
    }

    @Test
    void theSameSeedMakesTheSameFile() throws IOException {
        new ModelWriter(DENSE, 1, bytes -> {}).gguf(folder.resolve("a.gguf"), Mixture.Q4_K_M);
        new ModelWriter(DENSE, 1, bytes -> {}).gguf(folder.resolve("b.gguf"), Mixture.Q4_K_M);
        new ModelWriter(DENSE, 2, bytes -> {}).gguf(folder.resolve("c.gguf"), Mixture.Q4_K_M);

        assertThat(Files.mismatch(folder.resolve("a.gguf"), folder.resolve("b.gguf"))).isEqualTo(-1);
        assertThat(Files.mismatch(folder.resolve("a.gguf"), folder.resolve("c.gguf"))).isNotEqualTo(-1);
    }

    @Test
    void typesOfAMixtureAreThoseThatLlamaQuantizeChooses() {
        List<Weight> weights = Weight.of(DENSE);
        assertThat(types(weights, Mixture.Q4_K_M, "token_embd", 4)).containsExactly(StoredType.Q6_K);
        // More bits for the first and last eighth of 32 layers, and every third of those between.
        var shape = new ModelShape("deep", "qwen3", 400, 256, 32, 512, 4, 2, 64, 128, 1e6f, false, 1e-6f, "qwen2", 0, 0);
        List<StoredType> down = types(Weight.of(shape), Mixture.Q4_K_M, "ffn_down", 32);
        assertThat(down.subList(0, 8)).containsExactly(StoredType.Q6_K, StoredType.Q6_K, StoredType.Q6_K, StoredType.Q6_K,
                StoredType.Q4_K,
                StoredType.Q4_K, StoredType.Q6_K, StoredType.Q4_K);
        assertThat(down.subList(28, 32)).containsOnly(StoredType.Q6_K);
        // Rows that are not of whole blocks of 256 get a type with blocks of 32.
        assertThat(types(Weight.of(EXPERTS), Mixture.Q4_K_M, "ffn_down_exps", 2)).containsExactly(StoredType.Q5_0,
                StoredType.Q8_0);
        assertThat(types(Weight.of(EXPERTS), Mixture.Q8_0, "ffn_gate_inp", 2)).containsOnly(StoredType.F32);
    }

    private static List<StoredType> types(List<Weight> weights, Mixture mixture, String name, int layers) {
        return weights.stream().filter(weight -> weight.gguf().contains(name)).map(weight -> mixture.of(weight, layers)).toList();
    }

    @ParameterizedTest
    @EnumSource(StoredType.class)
    void elementsAreNumbersAndScalesAreThoseOfRealWeights(StoredType type) {
        var weight = new Weight("w", "w", Weight.Role.OTHER, 0, 1, 4, 1024);
        ByteBuffer buffer = ByteBuffer.allocate((int) type.bytes(4096)).order(ByteOrder.LITTLE_ENDIAN);

        new RandomWeights(1).fill(buffer, type, weight, 0);

        assertThat(buffer.hasRemaining()).isFalse();
        if (type == StoredType.Q8_0 || type == StoredType.Q4_0) {
            for (int at = 0; at < buffer.limit(); at += type.blockBytes()) {
                assertThat(Float.float16ToFloat(buffer.getShort(at))).isBetween(1e-5f, 0.02f);
            }
        }
        if (type == StoredType.BF16) {
            for (int at = 0; at < buffer.limit(); at += 2) {
                assertThat(Math.abs(Float.intBitsToFloat(buffer.getShort(at) << 16))).isLessThan(0.3f);
            }
        }
    }

    @Test
    void aVocabularyIsAsLargeAsItShouldBeAndEveryMergeMakesAToken() {
        SyntheticVocabulary vocabulary = SyntheticVocabulary.of(49_152);

        assertThat(vocabulary.tokens()).hasSize(49_152).doesNotHaveDuplicates();
        var tokens = new HashSet<>(vocabulary.tokens());
        assertThat(vocabulary.merges()).allMatch(merge -> tokens.contains(merge.replace(" ", "")));
        assertThat(vocabulary.tokens().get(vocabulary.id("<|im_end|>"))).isEqualTo("<|im_end|>");
    }
}
