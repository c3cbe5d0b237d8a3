package org.maniple.bench.model;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The header of a GGUF file, version 3; a tensor's data follows at the next multiple of 32 bytes. The layout is that of ggml's document
 * {@code gguf.md}.
 */
final class GgufFile {

    static final int ALIGNMENT = 32;

    private static final int UINT32 = 4;
    private static final int INT32 = 5;
    private static final int FLOAT32 = 6;
    private static final int BOOL = 7;
    private static final int STRING = 8;
    private static final int ARRAY = 9;
    private static final int NORMAL_TOKEN = 1;
    private static final int CONTROL_TOKEN = 3;

    private final ByteArrayOutputStream pairs = new ByteArrayOutputStream();
    private final ByteArrayOutputStream tensors = new ByteArrayOutputStream();
    private int pairCount;
    private int tensorCount;
    private long dataBytes;

    GgufFile(ModelShape shape, Mixture mixture, SyntheticVocabulary vocabulary) {
        model(shape, mixture);
        tokenizer(shape, vocabulary);
    }

    private void model(ModelShape shape, Mixture mixture) {
        String arch = shape.architecture();
        text("general.architecture", arch);
        text("general.name", shape.name() + " shape, random weights");
        number("general.file_type", mixture.fileType());
        number("general.quantization_version", 2);
        number(arch + ".block_count", shape.layers());
        number(arch + ".context_length", shape.positions());
        number(arch + ".embedding_length", shape.hidden());
        number(arch + ".feed_forward_length", shape.feedForward());
        number(arch + ".attention.head_count", shape.heads());
        number(arch + ".attention.head_count_kv", shape.keyValueHeads());
        number(arch + ".attention.key_length", shape.headSize());
        number(arch + ".attention.value_length", shape.headSize());
        fraction(arch + ".attention.layer_norm_rms_epsilon", shape.norm());
        fraction(arch + ".rope.freq_base", shape.ropeBase());
        number(arch + ".rope.dimension_count", shape.headSize());
        number(arch + ".vocab_size", shape.vocabulary());
        if (shape.experts() > 0) {
            number(arch + ".expert_count", shape.experts());
            number(arch + ".expert_used_count", shape.chosen());
            number(arch + ".expert_feed_forward_length", shape.feedForward());
        }
    }

    private void tokenizer(ModelShape shape, SyntheticVocabulary vocabulary) {
        text("tokenizer.ggml.model", "gpt2");
        text("tokenizer.ggml.pre", shape.preTokenizer());
        texts("tokenizer.ggml.tokens", vocabulary.tokens());
        key("tokenizer.ggml.token_type", ARRAY);
        int32(pairs, INT32);
        int64(pairs, vocabulary.tokens().size());
        int normal = vocabulary.tokens().size() - SyntheticVocabulary.CONTROLS.size();
        IntStream.range(0, vocabulary.tokens().size()).forEach(id -> int32(pairs, id < normal ? NORMAL_TOKEN : CONTROL_TOKEN));
        texts("tokenizer.ggml.merges", vocabulary.merges());
        number("tokenizer.ggml.bos_token_id", vocabulary.id("<|im_start|>"));
        number("tokenizer.ggml.eos_token_id", vocabulary.id("<|im_end|>"));
        number("tokenizer.ggml.padding_token_id", vocabulary.id("<|endoftext|>"));
        key("tokenizer.ggml.add_bos_token", BOOL);
        pairs.write(0);
        text("tokenizer.chat_template", SyntheticVocabulary.CHAT_TEMPLATE);
    }

    /** Tells where a tensor's data lies behind the header. */
    long add(Weight weight, StoredType type) {
        long offset = dataBytes;
        string(tensors, weight.gguf());
        long[] sizes = weight.experts() > 1
                ? new long[] {weight.columns(), weight.rows(), weight.experts()}
                : weight.rows() > 1 ? new long[] {weight.columns(), weight.rows()} : new long[] {weight.columns()};
        int32(tensors, sizes.length);
        for (long size : sizes) {
            int64(tensors, size);
        }
        int32(tensors, type.ggml());
        int64(tensors, offset);
        tensorCount++;
        dataBytes = aligned(offset + type.bytes(weight.elements()));
        return offset;
    }

    /** The header, up to where data begins. */
    byte[] header() {
        var header = new ByteArrayOutputStream();
        header.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        int32(header, 3);
        int64(header, tensorCount);
        int64(header, pairCount);
        header.writeBytes(pairs.toByteArray());
        header.writeBytes(tensors.toByteArray());
        header.writeBytes(new byte[(int) (aligned(header.size()) - header.size())]);
        return header.toByteArray();
    }

    private static long aligned(long at) {
        return (at + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    private void key(String key, int type) {
        string(pairs, key);
        int32(pairs, type);
        pairCount++;
    }

    private void text(String key, String value) {
        key(key, STRING);
        string(pairs, value);
    }

    private void number(String key, int value) {
        key(key, UINT32);
        int32(pairs, value);
    }

    private void fraction(String key, float value) {
        key(key, FLOAT32);
        int32(pairs, Float.floatToIntBits(value));
    }

    private void texts(String key, List<String> values) {
        key(key, ARRAY);
        int32(pairs, STRING);
        int64(pairs, values.size());
        values.forEach(value -> string(pairs, value));
    }

    private static void string(ByteArrayOutputStream to, String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        int64(to, bytes.length);
        to.writeBytes(bytes);
    }

    private static void int32(ByteArrayOutputStream to, int value) {
        to.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    }

    private static void int64(ByteArrayOutputStream to, long value) {
        to.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    }
}
