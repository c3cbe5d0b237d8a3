package org.maniple.checkpoint.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.StoredTensor;
import org.maniple.api.tensor.DType;
import org.maniple.testkit.OracleModel;
import org.maniple.testkit.Oracles;

class SafetensorsFormatTest {

    private final SafetensorsFormat format = new SafetensorsFormat();

    @TempDir
    Path directory;

    @Test
    void acceptsDirectoriesAndFilesByTheirNames() throws IOException {
        Path file = TensorFiles.write(directory.resolve("weights.safetensors"), TensorFiles.TWO, TensorFiles.TWO_BYTES);

        assertThat(format.accepts(directory)).isTrue();
        assertThat(format.accepts(file)).isTrue();
        assertThat(format.accepts(directory.resolve("missing"))).isFalse();
        assertThat(format.accepts(Files.createDirectory(directory.resolve("empty")))).isFalse();
        assertThat(format.accepts(Files.createFile(directory.resolve("model.gguf")))).isFalse();
    }

    @Test
    void tellsTypeShapeAndSizeOfEveryTensor() throws IOException {
        try (Checkpoint checkpoint = openTwo()) {
            assertThat(checkpoint.names()).containsExactly("a", "b");
            StoredTensor a = checkpoint.tensor("a").orElseThrow();
            assertThat(a.dtype()).isEqualTo(DType.F32);
            assertThat(a.shape()).containsExactly(2L, 3L);
            assertThat(a.bytes()).isEqualTo(24);
            assertThat(a.file()).endsWith("model.safetensors");
            assertThat(checkpoint.tensor("c")).isEmpty();
        }
    }

    @Test
    void aModelThatWasSavedWithoutItsHeadHasTheNamesOfAWholeOne() throws IOException {
        String header = "{" + TensorFiles.tensor("embed_tokens.weight", "I8", "[2,2]", "[0,4]") + ","
                + TensorFiles.tensor("norm.weight", "I8", "[2]", "[4,6]") + "}";
        TensorFiles.write(directory.resolve("model.safetensors"), header, 6);
        try (Checkpoint checkpoint = format.open(directory); Arena arena = Arena.ofConfined()) {
            assertThat(checkpoint.names())
                    .containsExactlyInAnyOrder("model.embed_tokens.weight", "model.norm.weight", "lm_head.weight");
            assertThat(checkpoint.tensor("model.norm.weight").orElseThrow().name()).isEqualTo("model.norm.weight");
            assertThat(checkpoint.tensor("lm_head.weight").orElseThrow().shape()).containsExactly(2L, 2L);
            assertThat(checkpoint.map("lm_head.weight", 0, 4, arena).toArray(ValueLayout.JAVA_BYTE)).containsExactly(0, 1, 2, 3);
            assertThat(checkpoint.map("model.norm.weight", 0, 2, arena).toArray(ValueLayout.JAVA_BYTE)).containsExactly(4, 5);
            assertThat(checkpoint.tensor("embed_tokens.weight")).isEmpty();
        }
    }

    @Test
    void mapsExactlyTheBytesAskedFor() throws IOException {
        try (Checkpoint checkpoint = openTwo(); Arena arena = Arena.ofConfined()) {
            MemorySegment part = checkpoint.map("b", 1, 2, arena);

            assertThat(part.toArray(ValueLayout.JAVA_BYTE)).containsExactly(25, 26);
            assertThat(part.isReadOnly()).isTrue();
            assertThat(checkpoint.map("b", 4, 0, arena).byteSize()).isZero();
        }
    }

    @Test
    void aMappingOutlivesTheCheckpointButNotItsArena() throws IOException {
        MemorySegment part;
        try (Arena arena = Arena.ofConfined()) {
            try (Checkpoint checkpoint = openTwo()) {
                part = checkpoint.map("a", 0, 24, arena);
            }
            assertThat(part.get(ValueLayout.JAVA_BYTE, 23)).isEqualTo((byte) 23);
        }
        assertThatThrownBy(() -> part.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void rangesOutsideTheTensorAreRefusedAlsoWhereTheyAreInsideTheFile() throws IOException {
        try (Checkpoint checkpoint = openTwo(); Arena arena = Arena.ofConfined()) {
            for (long[] range : new long[][] {{0, 25}, {24, 1}, {-1, 2}, {0, -1}, {Long.MAX_VALUE, Long.MAX_VALUE}, {25, 0}}) {
                assertThatThrownBy(() -> checkpoint.map("a", range[0], range[1], arena)).isInstanceOf(CheckpointException.class)
                        .hasMessageContaining("[a]").hasMessageContaining("24 bytes");
            }
            assertThatThrownBy(() -> checkpoint.map("c", 0, 1, arena)).isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("no tensor [c]");
        }
    }

    @Test
    void aClosedCheckpointMapsNothing() throws IOException {
        Checkpoint checkpoint = openTwo();
        checkpoint.close();
        checkpoint.close();

        try (Arena arena = Arena.ofConfined()) {
            assertThatThrownBy(() -> checkpoint.map("a", 0, 24, arena)).isInstanceOf(CheckpointException.class);
        }
    }

    @Test
    void aDirectoryWithSeveralFilesNeedsAnIndex() throws IOException {
        TensorFiles.write(directory.resolve("one.safetensors"), TensorFiles.TWO, TensorFiles.TWO_BYTES);
        TensorFiles.write(directory.resolve("two.safetensors"), TensorFiles.TWO, TensorFiles.TWO_BYTES);

        assertThatThrownBy(() -> format.open(directory)).isInstanceOf(CheckpointException.class).hasMessageContaining("2 files")
                .hasMessageContaining("model.safetensors.index.json");
        assertThatThrownBy(() -> format.open(directory.resolve("nowhere"))).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("nowhere");
    }

    @Test
    void shardsAreFoundThroughTheirIndexAndThroughSymbolicLinks() throws IOException {
        Path blobs = Files.createDirectories(directory.resolve("blobs"));
        Path snapshot = Files.createDirectories(directory.resolve("snapshot"));
        TensorFiles.write(blobs.resolve("0abc"), TensorFiles.TWO, TensorFiles.TWO_BYTES);
        Files.createSymbolicLink(snapshot.resolve("s1.safetensors"), Path.of("../blobs/0abc"));
        index(snapshot, "{\"metadata\":{\"total_size\":28},\"weight_map\":{\"a\":\"s1.safetensors\",\"b\":\"s1.safetensors\"}}");

        try (Checkpoint checkpoint = format.open(snapshot)) {
            assertThat(checkpoint.names()).containsExactlyInAnyOrder("a", "b");
            assertThat(checkpoint.files()).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"../s1.safetensors", "/etc/passwd", "sub/s1.safetensors", "..", "", "s1\\\\x.safetensors",
        "c:s1.safetensors",
        ".hidden", "a\\u0000b"})
    void anIndexThatPointsOutsideItsDirectoryIsRefused(String file) throws IOException {
        TensorFiles.write(directory.resolve("s1.safetensors"), TensorFiles.TWO, TensorFiles.TWO_BYTES);
        index(directory, "{\"weight_map\":{\"a\":\"" + file + "\"}}");

        assertThatThrownBy(() -> format.open(directory)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tensor [a]")
                .hasMessageContaining("plain name");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{}", "{\"weight_map\":{}}", "{\"weight_map\":[]}", "{\"weight_map\":{\"a\":1}}",
        "{\"weight_map\":{\"a\":\"s1.safetensors\"}} x", "{\"weight_map\":{\"a\":\"s1.safetensors\",\"a\":\"s1.safetensors\"}}",
        "{\"weight_map\":{\"a\":\"s1.safetensors\"", "{\"weight_map\":{\"c\":\"s1.safetensors\"}}",
        "{\"weight_map\":{\"a\":\"s2.safetensors\"}}",
        "{\"x\":[[[[[[[[[[[[0]]]]]]]]]]]],\"weight_map\":{\"a\":\"s1.safetensors\"}}"})
    void anIndexThatIsDamagedOrDoesNotMatchItsFilesIsRefused(String json) throws IOException {
        TensorFiles.write(directory.resolve("s1.safetensors"), TensorFiles.TWO, TensorFiles.TWO_BYTES);
        index(directory, json);

        assertThatThrownBy(() -> format.open(directory)).isInstanceOf(CheckpointException.class)
                .message().containsAnyOf("model.safetensors.index.json", "s2.safetensors");
    }

    @Test
    void fingerprintsDifferWhereAnyFileDiffers() throws IOException {
        Files.writeString(directory.resolve("config.json"), "{}");
        var before = fingerprint(Checkpoint.Checksum.SAMPLED);
        assertThat(before).containsOnlyKeys("config.json", "model.safetensors")
                .isEqualTo(fingerprint(Checkpoint.Checksum.SAMPLED));

        Files.writeString(directory.resolve("config.json"), "{ }");
        var after = fingerprint(Checkpoint.Checksum.SAMPLED);
        assertThat(after.get("config.json")).isNotEqualTo(before.get("config.json"));
        assertThat(after.get("model.safetensors")).isEqualTo(before.get("model.safetensors"));
    }

    @Test
    void samplesMissAByteBetweenThemThatTheFullChecksumSees() throws IOException {
        int size = 1 << 20;
        String header = "{" + TensorFiles.tensor("a", "U8", "[" + size + "]", "[0," + size + "]") + "}";
        byte[] bytes = TensorFiles.bytes(header, size);
        Path file = Files.write(directory.resolve("model.safetensors"), bytes);
        var sampled = fingerprint(file, Checkpoint.Checksum.SAMPLED);
        var full = fingerprint(file, Checkpoint.Checksum.FULL);

        bytes[bytes.length - size + 5000]++;
        Files.write(file, bytes);
        assertThat(fingerprint(file, Checkpoint.Checksum.SAMPLED)).isEqualTo(sampled);
        assertThat(fingerprint(file, Checkpoint.Checksum.FULL)).isNotEqualTo(full);

        bytes[bytes.length - 1]++;
        Files.write(file, bytes);
        assertThat(fingerprint(file, Checkpoint.Checksum.SAMPLED)).isNotEqualTo(sampled);
    }

    @ParameterizedTest
    @ValueSource(strings = {"models/llama-plain", "models/llama-gqa-rope3-sharded", "models/llama-tied-bias-bf16",
        "models/gemma3",
        "models/deepseek-v3-fp8", "models/deepseek-v3-mtp-bf16", "demo-dense"})
    void readsPublishedCheckpoints(String name) {
        OracleModel model = Oracles.model(name);

        try (Checkpoint checkpoint = format.open(model.directory()); Arena arena = Arena.ofConfined()) {
            var shapes = model.storedShapes();
            assertThat(checkpoint.names()).isEqualTo(shapes.keySet());
            shapes.forEach((tensor, shape) -> {
                StoredTensor stored = checkpoint.tensor(tensor).orElseThrow();
                assertThat(stored.shape()).isEqualTo(shape);
                assertThat(checkpoint.map(tensor, 0, stored.bytes(), arena).byteSize()).isEqualTo(stored.bytes());
            });
        }
    }

    @Test
    void readsTheSameValuesFromShardsAsWereWritten() {
        OracleModel model = Oracles.model("models/llama-gqa-rope3-sharded");

        try (Checkpoint checkpoint = format.open(model.directory()); Arena arena = Arena.ofConfined()) {
            assertThat(checkpoint.files()).hasSize(3);
            MemorySegment norm = checkpoint.map("model.norm.weight", 0, 96 * 4, arena);
            // Norm weights of the oracles lie around 1: a wrong offset would show.
            List<Float> weights = norm.elements(ValueLayout.JAVA_FLOAT_UNALIGNED)
                    .map(e -> e.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0))
                    .toList();
            assertThat(weights).hasSize(96).allMatch(weight -> weight > 0.2 && weight < 2);
        }
    }

    private Map<String, String> fingerprint(Checkpoint.Checksum checksum) throws IOException {
        try (Checkpoint checkpoint = openTwo()) {
            return checkpoint.fingerprint(checksum);
        }
    }

    private Map<String, String> fingerprint(Path file, Checkpoint.Checksum checksum) {
        try (Checkpoint checkpoint = format.open(file)) {
            return checkpoint.fingerprint(checksum);
        }
    }

    private Checkpoint openTwo() throws IOException {
        return format.open(TensorFiles.write(directory.resolve("model.safetensors"), TensorFiles.TWO, TensorFiles.TWO_BYTES));
    }

    private static void index(Path directory, String json) throws IOException {
        Files.writeString(directory.resolve("model.safetensors.index.json"), json);
    }
}
