package org.maniple.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.checkpoint.Checkpoint;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.checkpoint.CompanionFiles;
import org.maniple.api.checkpoint.StoredTensor;
import org.maniple.api.tensor.DType;
import org.maniple.checkpoint.gguf.GgufFormat;

/** Damaged and hostile files cost a {@link CheckpointException}, and little memory. */
@Isolated("measures memory")
class HostileGgufTest {

    private static final int VERSION = 4;
    private static final int TENSORS = 8;
    private static final int VALUES = 16;
    private static final int FIRST_KEY = 24;
    private static final long MOST_BYTES = 32L << 20;

    @TempDir
    private Path folder;

    private Path file;
    private byte[] sound;

    @BeforeEach
    void writeASoundFile() {
        file = folder.resolve("model.gguf");
        sound = writer().bytes();
    }

    private static GgufWriter writer() {
        var writer = new GgufWriter().value("general.architecture", "llama").value("llama.block_count", 1)
                .value("llama.context_length", 64).value("llama.embedding_length", 32).value("llama.feed_forward_length", 32)
                .value("llama.attention.head_count", 2).value("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .value("llama.attention.head_count_kv", List.of(2)).value("tokenizer.ggml.model", "llama")
                .value("tokenizer.ggml.tokens", List.of("<s>", "▁a", "▁", "a"))
                .value("tokenizer.ggml.scores", List.of(0f, -1f, -2f, -3f))
                .value("tokenizer.ggml.token_type", List.of(3, 1, 1, 1)).value("tokenizer.ggml.bos_token_id", 0)
                .value("tokenizer.ggml.add_bos_token", true).value("tokenizer.chat_template", "{{ messages }}");
        writer.tensor("token_embd.weight", new float[128], DType.Q8_0, 4, 32);
        writer.tensor("rope_freqs.weight", new float[] {1, 2, 3, 4}, DType.F32, 4);
        writer.tensor("blk.0.ffn_down.weight", new float[1024], DType.Q4_0, 32, 32);
        writer.tensor("output_norm.weight", new float[32], DType.F32, 32);
        return writer;
    }

    /** Does everything with a file that a unit does with it, except computing. */
    private void read(byte[] content) throws IOException {
        Files.write(file, content);
        var format = new GgufFormat();
        CompanionFiles companions = format.companions(file).orElseThrow();
        companions.names().forEach(companions::read);
        try (Checkpoint checkpoint = format.open(file); Arena arena = Arena.ofConfined()) {
            for (String name : checkpoint.names()) {
                StoredTensor tensor = checkpoint.tensor(name).orElseThrow();
                MemorySegment memory = checkpoint.map(name, 0, tensor.bytes(), arena);
                assertThat(memory.get(ValueLayout.JAVA_BYTE, tensor.bytes() - 1)).isNotNull();
            }
        }
    }

    @Test
    void aSoundFileIsRead() throws IOException {
        read(sound);
        try (Checkpoint checkpoint = new GgufFormat().open(file)) {
            assertThat(checkpoint.names()).contains("model.embed_tokens.weight", "model.layers.0.mlp.down_proj.weight");
        }
    }

    @Test
    void aFileThatEndsAnywhereIsRefused() throws IOException {
        for (int length = 0; length < sound.length; length++) {
            byte[] content = java.util.Arrays.copyOf(sound, length);
            boolean onlyPadding = length >= sound.length - 31;
            try {
                read(content);
                assertThat(onlyPadding).as("length %d of %d", length, sound.length).isTrue();
            } catch (CheckpointException e) {
                assertThat(e).hasMessageContaining(file.toString());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"4294967295", "9223372036854775807", "-9223372036854775808", "-1", "4611686018427387904", "1000001"})
    void countsThatTheFileCannotHoldAreRefused(long count) {
        for (int place : List.of(TENSORS, VALUES, FIRST_KEY)) {
            byte[] content = sound.clone();
            ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).putLong(place, count);
            assertThatThrownBy(() -> read(content)).isInstanceOf(CheckpointException.class).hasMessageContaining("claims");
        }
    }

    /** Of a text, of an array, and of a text within an array. */
    @ParameterizedTest
    @CsvSource({"tokenizer.chat_template, 4", "tokenizer.ggml.scores, 8", "tokenizer.ggml.tokens, 8",
        "tokenizer.ggml.tokens, 16"})
    void lengthsThatTheFileCannotHoldAreRefusedWithTheirKey(String key, int behindTheKey) {
        for (long length : new long[] {Long.MIN_VALUE, -1, Long.MAX_VALUE, 1L << 62, 1L << 40, 0xffff_ffffL, sound.length}) {
            byte[] content = sound.clone();
            int place = indexOf(content, key) + key.length() + behindTheKey;
            ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).putLong(place, length);
            assertThatThrownBy(() -> read(content)).isInstanceOf(CheckpointException.class).hasMessageContaining(key)
                    .hasMessageContaining("claims " + Long.toUnsignedString(length));
        }
    }

    @ParameterizedTest
    @CsvSource({"9, is an array of arrays", "13, has a value of type 13", "-1, has a value of type 4294967295"})
    void arraysOfWhatIsNoValueAreRefused(int type, String expected) {
        byte[] content = sound.clone();
        String key = "tokenizer.ggml.scores";
        ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).putInt(indexOf(content, key) + key.length() + 4, type);
        assertThatThrownBy(() -> read(content)).isInstanceOf(CheckpointException.class).hasMessageContaining(expected);
    }

    @Test
    void otherVersionsAreNamed() {
        byte[] content = sound.clone();
        content[VERSION] = 1;
        assertThatThrownBy(() -> read(content)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("has version 1; versions 2 and 3 can be read");
        ByteBuffer.wrap(content).putInt(VERSION, 3);
        assertThatThrownBy(() -> read(content)).isInstanceOf(CheckpointException.class).hasMessageContaining("is big-endian");
    }

    @ParameterizedTest
    @CsvSource({"0", "3", "24", "2097152"})
    void alignmentsThatAreNoPowersOfTwoAreRefused(int alignment) {
        byte[] content = writer().value("general.alignment", alignment).bytes();
        assertThatThrownBy(() -> read(content)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("expected a power of two");
    }

    @ParameterizedTest
    @CsvSource({"llama.attention.head_count, 0, at least 1", "llama.block_count, 0, at least 1",
        "general.architecture, mamba, one of [deepseek2",
        "tokenizer.ggml.bos_token_id, 99, the number of one of the 4 tokens",
        "llama.context_length, text, a whole number", "tokenizer.ggml.model, bert, 'one of [gpt2, llama]'"})
    void valuesThatMakeNoSenseAreNamed(String key, String value, String expected) {
        byte[] content = writer().value(key, value.matches("\\d+") ? Integer.valueOf(value) : value).bytes();
        assertThatThrownBy(() -> read(content)).isInstanceOf(CheckpointException.class).hasMessageContaining(key)
                .hasMessageContaining(expected);
    }

    @ParameterizedTest
    @CsvSource({"0, 5, dimensions", "4, -1, extent", "4, 4611686018427387904, more elements", "4, 33, blocks of 32",
        "20, 99, has type 99", "24, 1, no multiple of the alignment", "24, 1048576, truncated", "24, 160, begins within"})
    void descriptionsOfTensorsAreChecked(int field, long value, String expected) {
        byte[] content = sound.clone();
        ByteBuffer buffer = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        int place = indexOf(content, "blk.0.ffn_down.weight") + "blk.0.ffn_down.weight".length() + field;
        if (field == 0 || field == 20) {
            buffer.putInt(place, (int) value);
        } else {
            buffer.putLong(place, value);
        }
        assertThatThrownBy(() -> read(content)).isInstanceOf(CheckpointException.class).hasMessageContaining(expected);
    }

    @Test
    void aKeyThatOccursTwiceIsRefused() {
        byte[] content = new String(sound, java.nio.charset.StandardCharsets.ISO_8859_1)
                .replace("llama.context_length", "llama.context_lengtX").replace("general.architecture", "llama.context_lengtX")
                .getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        assertThatThrownBy(() -> read(content)).isInstanceOf(CheckpointException.class).hasMessageContaining("occurs twice");
    }

    private static int indexOf(byte[] content, String text) {
        return new String(content, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf(text);
    }

    /** {@code -Dmaniple.fuzz=100000} for the long run. */
    @Test
    void mutationsCostNothingButAnException() throws IOException {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        var mutations = new GgufMutations(sound, new Random(20));
        var refused = new ArrayList<Integer>();
        int rounds = Integer.getInteger("maniple.fuzz", 2000);
        for (int round = 0; round < rounds; round++) {
            byte[] content = mutations.next();
            long before = threads.getCurrentThreadAllocatedBytes();
            try {
                read(content);
            } catch (CheckpointException e) {
                refused.add(round);
            } catch (RuntimeException | Error e) {
                throw new AssertionError("round " + round, e);
            }
            assertThat(threads.getCurrentThreadAllocatedBytes() - before).as("bytes in round %d", round).isLessThan(MOST_BYTES);
        }
        assertThat(refused.size()).isBetween(rounds / 3, rounds);
    }
}
