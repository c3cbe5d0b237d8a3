package org.maniple.checkpoint.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.maniple.api.checkpoint.CheckpointException;

class HeadersTest {

    private static final Instant NOW = Instant.parse("2026-11-28T12:00:00Z");
    private static final int TEXT = 8;

    @TempDir
    private Path folder;
    private Path file;
    private final Headers headers = new Headers(Clock.fixed(NOW, ZoneOffset.UTC));

    @BeforeEach
    void aFileIsThere() throws IOException {
        file = folder.resolve("model.gguf");
        write(file, "llama", Duration.ofHours(1));
    }

    /** A file without tensors, of a length that follows from the name of its architecture. */
    private static void write(Path path, String architecture, Duration age) throws IOException {
        Files.write(path, content(architecture));
        Files.setLastModifiedTime(path, FileTime.from(NOW.minus(age)));
    }

    private static byte[] content(String architecture) {
        byte[] key = "general.architecture".getBytes(StandardCharsets.UTF_8);
        byte[] value = architecture.getBytes(StandardCharsets.UTF_8);
        ByteBuffer buffer = ByteBuffer.allocate(4 + 4 + 8 + 8 + 8 + key.length + 4 + 8 + value.length)
                .order(ByteOrder.LITTLE_ENDIAN);
        buffer.put("GGUF".getBytes(StandardCharsets.US_ASCII)).putInt(3).putLong(0).putLong(1);
        buffer.putLong(key.length).put(key).putInt(TEXT).putLong(value.length).put(value);
        return buffer.array();
    }

    private Header read(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path)) {
            return headers.of(path, channel);
        }
    }

    @Test
    void aHeaderIsReadOnce() throws IOException {
        Header first = read(file);

        assertThat(first.values()).containsEntry("general.architecture", "llama");
        assertThat(read(file)).isSameAs(first);
    }

    @Test
    void aFileOfAnotherSizeIsReadAgain() throws IOException {
        read(file);
        write(file, "mistral", Duration.ofHours(1));

        assertThat(read(file).values()).containsEntry("general.architecture", "mistral");
    }

    @Test
    void aFileThatWasChangedSinceIsReadAgain() throws IOException {
        read(file);
        write(file, "qwen2", Duration.ofMinutes(59));

        assertThat(read(file).values()).containsEntry("general.architecture", "qwen2");
    }

    @Test
    void aFileThatTookThePlaceOfAnotherIsRead() throws IOException {
        read(file);
        Path other = folder.resolve("other.gguf");
        write(other, "qwen2", Duration.ofHours(1));
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);

        assertThat(read(file).values()).containsEntry("general.architecture", "qwen2");
    }

    /** Another change could have the same time. */
    @Test
    void aFileThatWasChangedAMomentAgoIsReadEveryTime() throws IOException {
        write(file, "llama", Duration.ofSeconds(1));
        Header first = read(file);

        assertThat(read(file)).isEqualTo(first).isNotSameAs(first);
    }

    @Test
    void anOpenFileCountsAndNotWhatItsNameStandsForNow() throws IOException {
        read(file);
        Path other = folder.resolve("other.gguf");
        write(other, "mistral", Duration.ofHours(1));
        try (FileChannel channel = FileChannel.open(other)) {
            assertThat(headers.of(file, channel).values()).containsEntry("general.architecture", "mistral");
        }
    }

    @Test
    void aDamagedFileIsReadAgainOnceItIsWhole() throws IOException {
        byte[] whole = content("llama");
        Files.write(file, java.util.Arrays.copyOf(whole, whole.length - 1));
        Files.setLastModifiedTime(file, FileTime.from(NOW.minus(Duration.ofHours(1))));
        assertThatThrownBy(() -> read(file)).isInstanceOf(CheckpointException.class).hasMessageContaining("model.gguf");

        write(file, "llama", Duration.ofHours(1));
        assertThat(read(file).values()).containsEntry("general.architecture", "llama");
    }
}
