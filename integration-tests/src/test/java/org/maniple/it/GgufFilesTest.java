package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.tensor.DType;
import org.maniple.checkpoint.gguf.GgufFormat;

/** A model is the same in both versions of the format that are read, and in one file or in several. */
class GgufFilesTest {

    private static final int PARTS = 3;

    private final GgufFormat format = new GgufFormat();
    private final GgufWriter writer = RandomMixture.of(DType.Q8_0, 32);

    @TempDir
    private Path folder;

    /** The bytes of all tensors, and the configuration. */
    private Map<String, byte[]> content(Path model) {
        var content = new TreeMap<String, byte[]>();
        try (Checkpoint checkpoint = format.open(model); Arena arena = Arena.ofConfined()) {
            for (String name : checkpoint.names()) {
                content.put(name, checkpoint.map(name, 0, checkpoint.tensor(name).orElseThrow().bytes(), arena)
                        .toArray(ValueLayout.JAVA_BYTE));
            }
        }
        content.put("config.json", format.companions(model).orElseThrow().read("config.json").orElseThrow());
        return content;
    }

    private Path whole(int version) {
        Path file = folder.resolve("whole-" + version + ".gguf");
        writer.version(version).write(file);
        return file;
    }

    private List<Path> parts() throws IOException {
        return writer.writeParts(Files.createDirectory(folder.resolve("parts")), "mixture", PARTS);
    }

    @Test
    void versionsTwoAndThreeSayTheSame() {
        assertThat(content(whole(2))).containsExactlyInAnyOrderEntriesOf(content(whole(3)));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void anyPartOfASplitModelStandsForAllOfIt(int part) throws IOException {
        assertThat(content(parts().get(part))).containsExactlyInAnyOrderEntriesOf(content(whole(3)));
    }

    @Test
    void theFolderOfASplitModelStandsForIt() throws IOException {
        assertThat(content(parts().getFirst().getParent())).containsExactlyInAnyOrderEntriesOf(content(whole(3)));
    }

    @Test
    void partsMayBeOfVersionTwo() throws IOException {
        Map<String, byte[]> expected = content(whole(3));
        writer.version(2);
        assertThat(content(parts().getFirst())).containsExactlyInAnyOrderEntriesOf(expected);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void aPartThatIsMissingIsNamed(int missing) throws IOException {
        List<Path> parts = parts();
        Files.delete(parts.get(missing));
        Path named = parts.get(missing == 0 ? 1 : 0);
        assertThatThrownBy(() -> format.open(named)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining(parts.get(missing).getFileName() + ": is not there, but " + named.getFileName()
                        + " is one of 3 parts; download it too");
        assertThatThrownBy(() -> format.companions(named)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("is not there");
    }

    @Test
    void partsWhoseNamesWereSwappedAreRefused() throws IOException {
        List<Path> parts = parts();
        Path aside = folder.resolve("aside");
        Files.move(parts.get(1), aside);
        Files.move(parts.get(2), parts.get(1));
        Files.move(aside, parts.get(2));
        assertThatThrownBy(() -> format.open(parts.getFirst())).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("is part 3 of 3 by its metadata, but 2 of 3 by its name");
    }

    @Test
    void aPartThatWasRenamedIsNoWholeModel() throws IOException {
        Path alone = folder.resolve("alone.gguf");
        Files.move(parts().getFirst(), alone);
        assertThatThrownBy(() -> format.open(alone)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("is part 1 of 3 by its metadata, but 1 of 1 by its name")
                .hasMessageContaining("NAME-00001-of-00003.gguf");
    }

    @Test
    void aTensorThatIsInTwoPartsIsRefused() throws IOException {
        List<Path> parts = parts();
        writer.value("split.no", 1).value("split.count", PARTS).write(parts.get(1));
        assertThatThrownBy(() -> format.open(parts.getFirst())).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("is in mixture-00001-of-00003.gguf too");
    }

    @Test
    void aPartThatIsCutOffIsTruncated() throws IOException {
        List<Path> parts = parts();
        byte[] bytes = Files.readAllBytes(parts.get(2));
        Files.write(parts.get(2), java.util.Arrays.copyOf(bytes, bytes.length - 64));
        assertThatThrownBy(() -> format.open(parts.getFirst())).isInstanceOf(CheckpointException.class)
                .hasMessageContaining(parts.get(2).getFileName().toString()).hasMessageContaining("it is truncated");
    }
}
