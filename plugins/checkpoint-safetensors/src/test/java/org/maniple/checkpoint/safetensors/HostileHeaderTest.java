package org.maniple.checkpoint.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.maniple.checkpoint.safetensors.TensorFiles.tensor;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.testkit.Allocation;

/** What a file says about itself is not believed. */
class HostileHeaderTest {

    private static final long MAX_ALLOCATION = 32L << 20;

    @TempDir
    Path directory;

    /** So that no test counts what loading classes takes. */
    @BeforeAll
    static void loadClasses(@TempDir Path directory) throws IOException {
        Path good = TensorFiles.write(directory.resolve("good.safetensors"), TensorFiles.TWO, TensorFiles.TWO_BYTES);
        new SafetensorsFormat().open(good).close();
        Path bad = TensorFiles.write(directory.resolve("bad.safetensors"), "{\"a\":x}", 0);
        assertThatThrownBy(() -> new SafetensorsFormat().open(bad)).isInstanceOf(CheckpointException.class);
    }

    @Test
    void aFileTruncatedAtAnyByteIsRefusedByItsName() throws IOException {
        Path file = TensorFiles.write(directory.resolve("model.safetensors"), TensorFiles.TWO, TensorFiles.TWO_BYTES);
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            for (long size = Files.size(file) - 1; size >= 0; size--) {
                channel.truncate(size);
                assertRefusedCheaply(file, "model.safetensors");
            }
        }
    }

    @Test
    void aByteTooManyIsRefused() throws IOException {
        assertRefused(TensorFiles.bytes(TensorFiles.TWO, TensorFiles.TWO_BYTES + 1), "28", "29");
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 29, 1 << 20, 100_000_001, Integer.MAX_VALUE, Long.MAX_VALUE, Long.MIN_VALUE, -1})
    void aHeaderLengthThatDoesNotFitTheFileIsRefused(long length) throws IOException {
        byte[] bytes = TensorFiles.bytes("{}", 20);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);

        assertRefused(bytes, "length is " + Long.toUnsignedString(length));
    }

    @Test
    void aHeaderAboveTheFormatsLimitIsRefusedAlsoInAFileThatLarge() throws IOException {
        Path file = directory.resolve("sparse.safetensors");
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW,
                StandardOpenOption.SPARSE)) {
            channel.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, 200_000_000));
            channel.write(ByteBuffer.allocate(1), 300_000_000);
        }

        assertRefusedCheaply(file, "200000000", "100000000");
    }

    @Test
    void offsetsMustLieInTheFile() throws IOException {
        assertRefused("{" + tensor("a", "U8", "[64]", "[0,64]") + "}", 28, "tensor [a]", "data_offsets", "64", "28");
        assertRefused("{" + tensor("a", "U8", "[4]", "[9223372036854775803,9223372036854775807]") + "}", 28, "tensor [a]",
                "holes");
        assertRefused("{" + tensor("a", "U8", "[4]", "[-4,0]") + "}", 28, "tensor [a]", "data_offsets", "not negative");
        assertRefused("{" + tensor("a", "U8", "[4]", "[0,9223372036854775808]") + "}", 28, "tensor [a]");
        assertRefused("{" + tensor("a", "U8", "[4]", "[4,0]") + "}", 28, "tensor [a]", "takes 4 bytes");
        assertRefused("{" + tensor("a", "U8", "[4]", "[0]") + "}", 28, "tensor [a]", "data_offsets [0]");
    }

    @Test
    void dataMustHaveNoHolesAndNoOverlaps() throws IOException {
        assertRefused("{" + tensor("a", "U8", "[4]", "[0,4]") + "," + tensor("b", "U8", "[4]", "[8,12]") + "}", 12, "tensor [b]",
                "holes");
        assertRefused("{" + tensor("a", "U8", "[4]", "[0,4]") + "," + tensor("b", "U8", "[4]", "[2,6]") + "}", 6, "tensor [b]",
                "overlaps");
        assertRefused("{" + tensor("a", "U8", "[4]", "[0,4]") + "," + tensor("b", "U8", "[4]", "[0,4]") + "}", 4, "overlaps");
        assertRefused("{}", 4, "0 bytes", "4");
    }

    @Test
    void sizesMustBeTheProductOfTheShape() throws IOException {
        assertRefused("{" + tensor("a", "F32", "[2,3]", "[0,23]") + "}", 23, "tensor [a]", "24 bytes");
        assertRefused("{" + tensor("a", "F32", "[4294967296,4294967296]", "[0,0]") + "}", 0, "tensor [a]", "[shape]",
                "4294967296");
        assertRefused("{" + tensor("a", "F64", "[2305843009213693952]", "[0,0]") + "}", 0, "tensor [a]", "[shape]");
        assertRefused("{" + tensor("a", "U8", "[-1,-4]", "[0,4]") + "}", 4, "tensor [a]", "[shape]", "not negative");
        assertRefused("{" + tensor("a", "U8", "[1,1,1,1,1,1,1,1,4]", "[0,4]") + "}", 4, "tensor [a]", "[shape]", "at most 8");
        assertRefused("{" + tensor("a", "U8", "[4.0]", "[0,4]") + "}", 4, "tensor [a]", "[shape]", "whole numbers");
        assertRefused("{" + tensor("a", "U8", "[[4]]", "[0,4]") + "}", 4, "tensor [a]", "[shape]");
    }

    @Test
    void typesAndFieldsMustBeKnownAndThere() throws IOException {
        assertRefused("{" + tensor("a", "F4", "[8]", "[0,4]") + "}", 4, "tensor [a]", "[dtype]", "F4", "BF16");
        assertRefused("{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}", 4, "tensor [a]", "data_offsets");
        assertRefused("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"x\":1}}", 4, "tensor [a]", "[x]");
        assertRefused("{\"a\":{\"dtype\":null,\"shape\":[4],\"data_offsets\":[0,4]}}", 4, "tensor [a]", "[dtype]", "text");
        assertRefused("{\"a\":[]}", 0, "tensor [a]", "object");
        assertRefused("{\"__metadata__\":{\"format\":1}}", 0, "__metadata__", "texts");
    }

    @Test
    void keysMustOccurOnce() throws IOException {
        assertRefused("{" + tensor("a", "U8", "[2]", "[0,2]") + "," + tensor("a", "U8", "[2]", "[2,4]") + "}", 4, "\"a\"");
        assertRefused("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"shape\":[4],\"data_offsets\":[0,4]}}", 4, "tensor [a]", "shape");
    }

    @Test
    void theHeaderMustBeOneObjectInUtf8() throws IOException {
        assertRefused("[]", 0, "must begin with {");
        assertRefused(" {}", 0, "must begin with {");
        assertRefused("{} {}", 0, "goes on");
        assertRefused("{}x", 0, "header");
        assertRefused("{\"" + "n".repeat(2000) + "\":{}}", 0, "header");
        assertRefused(TensorFiles.bytes(TensorFiles.TWO.getBytes(StandardCharsets.UTF_16LE), TensorFiles.TWO_BYTES), "header");
        assertRefused(TensorFiles.bytes(TensorFiles.TWO.getBytes(StandardCharsets.UTF_16LE), 0), "header");
        byte[] invalid = TensorFiles.bytes(TensorFiles.TWO, TensorFiles.TWO_BYTES);
        invalid[10] = (byte) 0xFF;
        assertRefused(invalid, "header");
    }

    @Test
    void whatTheFormatAllowsIsAccepted() throws IOException {
        accept("{}      ", 0);
        accept("{\"__metadata__\":{\"format\":\"pt\"}," + tensor("a", "U8", "[4]", "[0,4]") + "}", 4);
        accept("{" + tensor("scalar", "F32", "[]", "[0,4]") + "," + tensor("none", "F32", "[0,7]", "[4,4]") + "}", 4);
        accept("{" + tensor("b", "U8", "[2]", "[2,4]") + "," + tensor("a", "U8", "[2]", "[0,2]") + "}", 4);
    }

    @Test
    void namesInMessagesCarryNoControlCharacters() throws IOException {
        Path file = TensorFiles.write(directory.resolve("x.safetensors"), "{\"a\\u001b[2J\\n\":[]}", 0);

        assertThatThrownBy(() -> new SafetensorsFormat().open(file)).message().contains("a?[2J?").doesNotContain("\u001b")
                .doesNotContain("\n");
    }

    /** The number of mutations is the system property {@code maniple.fuzz}. */
    @Test
    void mutatedFilesAreReadOrRefusedAndNothingElse() throws IOException {
        var random = new Random(20_260_101);
        byte[] original = TensorFiles.bytes(TensorFiles.TWO, TensorFiles.TWO_BYTES);
        Path file = directory.resolve("mutated.safetensors");
        int refused = 0;
        int rounds = Integer.getInteger("maniple.fuzz", 2000);
        for (int round = 0; round < rounds; round++) {
            Files.write(file, mutated(original, random));
            refused += refusal(file, "mutation " + round).isPresent() ? 1 : 0;
        }
        assertThat(refused).as("refused of %s", rounds).isGreaterThan(rounds / 2);
    }

    private static byte[] mutated(byte[] original, Random random) {
        byte[] bytes = original.clone();
        for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(5)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt(256);
                case 2 -> bytes[at] = (byte) "{}[]\":,0123456789-+.eE\\ntf ".charAt(random.nextInt(27));
                case 3 -> bytes = spliced(bytes, at, Math.min(random.nextInt(16), bytes.length - at), new byte[0]);
                default -> bytes = spliced(bytes, at, 0, spliced(bytes, 0, random.nextInt(bytes.length), new byte[0]));
            }
            if (bytes.length == 0) {
                return bytes;
            }
        }
        if (random.nextBoolean() && bytes.length >= 8) {
            // A length that fits, so that not all mutations end at the first check.
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0,
                    Math.max(0, bytes.length - 8 - TensorFiles.TWO_BYTES));
        }
        return bytes;
    }

    private static byte[] spliced(byte[] bytes, int at, int removed, byte[] inserted) {
        var buffer = ByteBuffer.allocate(bytes.length - removed + inserted.length);
        return buffer.put(bytes, 0, at).put(inserted).put(bytes, at + removed, bytes.length - at - removed).array();
    }

    private void assertRefused(String header, int dataBytes, String... words) throws IOException {
        assertRefused(TensorFiles.bytes(header, dataBytes), words);
    }

    private void assertRefused(byte[] bytes, String... words) throws IOException {
        assertRefusedCheaply(Files.write(directory.resolve("hostile.safetensors"), bytes), words);
    }

    private static void assertRefusedCheaply(Path file, String... words) {
        assertThat(refusal(file, "opening")).isPresent().get(InstanceOfAssertFactories.THROWABLE)
                .hasMessageContaining(file.getFileName().toString()).hasMessageContainingAll(words);
    }

    /** Opens the file; any failure but the typed one fails the test, and so does a large allocation. */
    private static Optional<CheckpointException> refusal(Path file, String what) {
        var refusal = new AtomicReference<Optional<CheckpointException>>(Optional.empty());
        long bytes = Allocation.bytesOf(() -> {
            try (var checkpoint = new SafetensorsFormat().open(file)) {
                checkpoint.names();
            } catch (CheckpointException e) {
                refusal.set(Optional.of(e));
            }
        });
        assertThat(bytes).as(what).isLessThan(MAX_ALLOCATION);
        return refusal.get();
    }

    private void accept(String header, int dataBytes) throws IOException {
        Path file = TensorFiles.write(directory.resolve("good.safetensors"), header, dataBytes);
        try (var checkpoint = new SafetensorsFormat().open(file)) {
            assertThat(checkpoint.files()).containsExactly(file.toAbsolutePath());
        }
    }
}
