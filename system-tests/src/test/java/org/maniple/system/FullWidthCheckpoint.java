package org.maniple.system;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/**
 * A checkpoint with the layers of DeepSeek-V3 as they are published, in width and number of experts, but only one dense layer and one with
 * experts, and a vocabulary of 16k: 12.6 GB of random numbers. Weights are FP8 E4M3 with a factor for each block of 128×128; embeddings, head
 * and router are BF16. The factors are such that a projection of numbers of size 1 has size 1, as in a trained model.
 *
 * <p>Every tensor is a window of one random sequence that begins at a place of its own, so that making them costs little more than writing
 * them. The class stands alone: {@code java FullWidthCheckpoint.java FOLDER} writes one.
 */
final class FullWidthCheckpoint {

    static final int VOCABULARY = 16384;
    static final int EXPERTS = 256;

    private static final int HIDDEN = 7168;
    private static final int HEADS = 128;
    private static final int PLAIN = 128;
    private static final int TURNED = 64;
    private static final int VALUE = 128;
    private static final int QUERY_LATENT = 1536;
    private static final int LATENT = 512;
    private static final int DENSE = 18432;
    private static final int EXPERT = 2048;
    private static final int BLOCK = 128;
    private static final int SEQUENCE = 1 << 24;
    private static final long FILE_BYTES = 4L << 30;
    /** The root of the mean square of all finite E4M3 values. */
    private static final double SIZE_OF_E4M3 = sizeOfE4m3();

    private static final String CONFIG = """
            {
              "architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "torch_dtype": "bfloat16",
              "vocab_size": 16384, "hidden_size": 7168, "intermediate_size": 18432, "moe_intermediate_size": 2048,
              "num_hidden_layers": 2, "num_nextn_predict_layers": 0, "first_k_dense_replace": 1, "moe_layer_freq": 1,
              "num_attention_heads": 128, "num_key_value_heads": 128,
              "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
              "n_shared_experts": 1, "n_routed_experts": 256, "num_experts_per_tok": 8, "n_group": 8, "topk_group": 4,
              "topk_method": "noaux_tc", "scoring_func": "sigmoid", "norm_topk_prob": true, "routed_scaling_factor": 2.5,
              "hidden_act": "silu", "attention_bias": false, "tie_word_embeddings": false, "rms_norm_eps": 1e-06,
              "max_position_embeddings": 163840, "rope_theta": 10000,
              "rope_scaling": {"type": "yarn", "factor": 40, "original_max_position_embeddings": 4096, "beta_fast": 32,
                "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0},
              "quantization_config": {"quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic",
                "weight_block_size": [128, 128]},
              "bos_token_id": 0, "eos_token_id": 1
            }
            """;

    private final SplittableRandom random = new SplittableRandom(7168);
    private final ByteBuffer fp8 = ByteBuffer.allocateDirect(SEQUENCE);
    private final ByteBuffer bf16 = ByteBuffer.allocateDirect(SEQUENCE).order(ByteOrder.LITTLE_ENDIAN);
    private final Path folder;
    private final List<Entry> entries = new ArrayList<>();

    /** A tensor, and what fills it. */
    private record Entry(String name, String type, List<Integer> shape, long bytes, Filling filling) {}

    private sealed interface Filling {
        /** A window of a random sequence. */
        record Window(ByteBuffer of) implements Filling {}

        /** F32 factors around one size. */
        record Around(double size) implements Filling {}

        /** BF16 ones. */
        record Ones() implements Filling {}

        /** F32 zeros. */
        record Zeros() implements Filling {}
    }

    private FullWidthCheckpoint(Path folder) {
        this.folder = folder;
    }

    /**
     * Writes a checkpoint.
     *
     * @param folder an existing folder
     * @return the bytes of all tensors
     */
    static long write(Path folder) throws IOException {
        return new FullWidthCheckpoint(folder).write();
    }

    /** Writes a checkpoint into a folder. */
    public static void main(String[] arguments) throws IOException {
        System.out.println(write(Files.createDirectories(Path.of(arguments[0]))) + " bytes");
    }

    private long write() throws IOException {
        while (fp8.hasRemaining()) {
            byte value = (byte) random.nextInt(256);
            if ((value & 0x7f) != 0x7f) {
                fp8.put(value);
            }
        }
        while (bf16.hasRemaining()) {
            // Embeddings, head and router: of a size that makes scores of size 1 out of a normed stream.
            float value = (float) ((random.nextDouble() - 0.5) * Math.sqrt(12.0 / HIDDEN));
            bf16.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
        }
        tensors();
        var files = files();
        var index = new StringBuilder();
        for (int i = 0; i < files.size(); i++) {
            String name = String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, files.size());
            write(folder.resolve(name), files.get(i));
            files.get(i).forEach(entry -> index.append(index.isEmpty() ? "" : ",\n").append("    \"").append(entry.name())
                    .append("\": \"").append(name).append('"'));
        }
        long total = entries.stream().mapToLong(Entry::bytes).sum();
        Files.writeString(folder.resolve("model.safetensors.index.json"),
                "{\n  \"metadata\": {\"total_size\": " + total + "},\n  \"weight_map\": {\n" + index + "\n  }\n}\n");
        Files.writeString(folder.resolve("config.json"), CONFIG);
        return total;
    }

    private void tensors() {
        bf16("model.embed_tokens.weight", VOCABULARY, HIDDEN);
        bf16("lm_head.weight", VOCABULARY, HIDDEN);
        norm("model.norm.weight", HIDDEN);
        for (int layer = 0; layer < 2; layer++) {
            String prefix = "model.layers." + layer + ".";
            norm(prefix + "input_layernorm.weight", HIDDEN);
            norm(prefix + "post_attention_layernorm.weight", HIDDEN);
            attention(prefix + "self_attn.");
        }
        feedForward("model.layers.0.mlp.", DENSE);
        String experts = "model.layers.1.mlp.";
        bf16(experts + "gate.weight", EXPERTS, HIDDEN);
        entries.add(new Entry(experts + "gate.e_score_correction_bias", "F32", List.of(EXPERTS), 4L * EXPERTS,
                new Filling.Zeros()));
        feedForward(experts + "shared_experts.", EXPERT);
        for (int expert = 0; expert < EXPERTS; expert++) {
            feedForward(experts + "experts." + expert + ".", EXPERT);
        }
    }

    private void attention(String prefix) {
        fp8(prefix + "q_a_proj.weight", QUERY_LATENT, HIDDEN);
        norm(prefix + "q_a_layernorm.weight", QUERY_LATENT);
        fp8(prefix + "q_b_proj.weight", HEADS * (PLAIN + TURNED), QUERY_LATENT);
        fp8(prefix + "kv_a_proj_with_mqa.weight", LATENT + TURNED, HIDDEN);
        norm(prefix + "kv_a_layernorm.weight", LATENT);
        fp8(prefix + "kv_b_proj.weight", HEADS * (PLAIN + VALUE), LATENT);
        fp8(prefix + "o_proj.weight", HIDDEN, HEADS * VALUE);
    }

    private void feedForward(String prefix, int width) {
        fp8(prefix + "gate_proj.weight", width, HIDDEN);
        fp8(prefix + "up_proj.weight", width, HIDDEN);
        fp8(prefix + "down_proj.weight", HIDDEN, width);
    }

    private void fp8(String name, int rows, int columns) {
        entries.add(new Entry(name, "F8_E4M3", List.of(rows, columns), (long) rows * columns, new Filling.Window(fp8)));
        int blockRows = Math.ceilDiv(rows, BLOCK);
        int blockColumns = Math.ceilDiv(columns, BLOCK);
        entries.add(new Entry(name + "_scale_inv", "F32", List.of(blockRows, blockColumns), 4L * blockRows * blockColumns,
                new Filling.Around(1 / (SIZE_OF_E4M3 * Math.sqrt(columns)))));
    }

    private void bf16(String name, int rows, int columns) {
        entries.add(new Entry(name, "BF16", List.of(rows, columns), 2L * rows * columns, new Filling.Window(bf16)));
    }

    private void norm(String name, int width) {
        entries.add(new Entry(name, "BF16", List.of(width), 2L * width, new Filling.Ones()));
    }

    private List<List<Entry>> files() {
        var files = new ArrayList<List<Entry>>();
        long room = 0;
        for (Entry entry : entries) {
            if (entry.bytes() > room) {
                files.add(new ArrayList<>());
                room = FILE_BYTES;
            }
            files.getLast().add(entry);
            room -= entry.bytes();
        }
        return files;
    }

    private void write(Path file, List<Entry> contents) throws IOException {
        var header = new StringBuilder("{");
        long at = 0;
        for (Entry entry : contents) {
            header.append(at == 0 ? "" : ",").append('"').append(entry.name()).append("\":{\"dtype\":\"").append(entry.type())
                    .append("\",\"shape\":").append(entry.shape()).append(",\"data_offsets\":[").append(at).append(',')
                    .append(at + entry.bytes()).append("]}");
            at += entry.bytes();
        }
        header.append('}');
        header.repeat(' ', Math.floorMod(-header.length(), 8));
        byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            write(channel, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, text.length));
            write(channel, ByteBuffer.wrap(text));
            for (Entry entry : contents) {
                fill(channel, entry);
            }
        }
    }

    private void fill(FileChannel channel, Entry entry) throws IOException {
        switch (entry.filling()) {
            case Filling.Window window -> {
                // Of numbers that have two bytes each, from the first of them on.
                int from = random.nextInt(SEQUENCE / 2) * 2;
                for (long left = entry.bytes(); left > 0;) {
                    int count = (int) Math.min(left, SEQUENCE - from);
                    write(channel, window.of().slice(from, count));
                    left -= count;
                    from = 0;
                }
            }
            case Filling.Around around -> {
                ByteBuffer factors = ByteBuffer.allocate((int) entry.bytes()).order(ByteOrder.LITTLE_ENDIAN);
                while (factors.hasRemaining()) {
                    factors.putFloat((float) (around.size() * (0.5 + random.nextDouble())));
                }
                write(channel, factors.flip());
            }
            case Filling.Ones ones -> {
                ByteBuffer values = ByteBuffer.allocate((int) entry.bytes()).order(ByteOrder.LITTLE_ENDIAN);
                while (values.hasRemaining()) {
                    values.putShort((short) (Float.floatToRawIntBits(1) >>> 16));
                }
                write(channel, values.flip());
            }
            case Filling.Zeros zeros -> write(channel, ByteBuffer.allocate((int) entry.bytes()));
        }
    }

    private static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static double sizeOfE4m3() {
        double squares = 0;
        for (int bits = 0; bits < 0x7f; bits++) {
            int exponent = bits >> 3;
            double fraction = (bits & 7) / 8.0;
            double value = exponent == 0 ? fraction * 0x1p-6 : (1 + fraction) * Math.scalb(1.0, exponent - 7);
            squares += value * value;
        }
        return Math.sqrt(squares / 0x7f);
    }
}
