package org.example.hello;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.maniple.api.model.ModelConfig;

/** A tiny model of the architecture with random weights, always the same ones. */
final class HelloCheckpoint {

    static final int LAYERS = 2;
    static final int HIDDEN = 32;
    static final int HEADS = 4;
    static final int KV_HEADS = 2;
    static final int HEAD_DIM = HIDDEN / HEADS;
    static final int FFN = 64;
    static final int VOCABULARY = 96;
    static final double EPSILON = 1e-5;
    static final double THETA = 10_000;

    private static final Map<String, Object> CONFIG = config();

    /** Elements in row-major order. */
    record Weight(List<Long> shape, float[] elements) {}

    private final Map<String, Weight> weights = new LinkedHashMap<>();
    private final Random random = new Random(2);

    HelloCheckpoint() {
        add("model.embed_tokens.weight", 0, 1, VOCABULARY, HIDDEN);
        for (int layer = 0; layer < LAYERS; layer++) {
            String prefix = "model.layers." + layer + ".";
            norm(prefix + "input_layernorm");
            linear(prefix + "self_attn.q_proj", HIDDEN, HIDDEN);
            linear(prefix + "self_attn.k_proj", KV_HEADS * HEAD_DIM, HIDDEN);
            linear(prefix + "self_attn.v_proj", KV_HEADS * HEAD_DIM, HIDDEN);
            linear(prefix + "self_attn.o_proj", HIDDEN, HIDDEN);
            norm(prefix + "post_attention_layernorm");
            linear(prefix + "mlp.up_proj", FFN, HIDDEN);
            linear(prefix + "mlp.down_proj", HIDDEN, FFN);
        }
        norm("model.norm");
        add("lm_head.weight", 0, 0.5, VOCABULARY, HIDDEN);
    }

    static ModelConfig modelConfig() {
        return new ModelConfig("config.json", CONFIG);
    }

    Map<String, List<Long>> shapes() {
        return weights.entrySet().stream().collect(Collectors.toMap(Map.Entry::getKey, entry -> entry.getValue().shape()));
    }

    float[] weight(String name) {
        return weights.get(name).elements();
    }

    /** Writes {@code config.json} and {@code model.safetensors}. */
    void write(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.json"), json(CONFIG));
        Files.write(directory.resolve("model.safetensors"), safetensors());
    }

    /** The length of the header, the header, the elements: see https://github.com/huggingface/safetensors. */
    private byte[] safetensors() {
        var header = new LinkedHashMap<String, Object>();
        int end = 0;
        for (var entry : weights.entrySet()) {
            int begin = end;
            end += entry.getValue().elements().length * Float.BYTES;
            var tensor = new LinkedHashMap<String, Object>();
            tensor.put("dtype", "F32");
            tensor.put("shape", entry.getValue().shape());
            tensor.put("data_offsets", List.of(begin, end));
            header.put(entry.getKey(), tensor);
        }
        String text = json(header);
        byte[] head = (text + " ".repeat(-text.length() & 7)).getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(Long.BYTES + head.length + end).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(head.length).put(head);
        weights.values().forEach(weight -> {
            for (float element : weight.elements()) {
                file.putFloat(element);
            }
        });
        return file.array();
    }

    static String json(Object value) {
        return switch (value) {
            case Map<?, ?> map -> map.entrySet().stream().map(entry -> "\"" + entry.getKey() + "\": " + json(entry.getValue()))
                    .collect(Collectors.joining(", ", "{", "}"));
            case List<?> list -> list.stream().map(HelloCheckpoint::json).collect(Collectors.joining(", ", "[", "]"));
            case String text -> "\"" + text + "\"";
            default -> value.toString();
        };
    }

    private static Map<String, Object> config() {
        var config = new LinkedHashMap<String, Object>();
        config.put("architectures", List.of("HelloForCausalLM"));
        config.put("model_type", "hello");
        config.put("hidden_size", HIDDEN);
        config.put("num_hidden_layers", LAYERS);
        config.put("num_attention_heads", HEADS);
        config.put("num_key_value_heads", KV_HEADS);
        config.put("intermediate_size", FFN);
        config.put("vocab_size", VOCABULARY);
        config.put("max_position_embeddings", 128);
        config.put("layer_norm_eps", EPSILON);
        config.put("rope_theta", THETA);
        config.put("hidden_act", "gelu_pytorch_tanh");
        return config;
    }

    private void norm(String name) {
        add(name + ".weight", 1, 0.2, HIDDEN);
        add(name + ".bias", 0, 0.2, HIDDEN);
    }

    private void linear(String name, int out, int in) {
        add(name + ".weight", 0, 2 / Math.sqrt(in), out, in);
        add(name + ".bias", 0, 0.2, out);
    }

    private void add(String name, double mean, double deviation, int... shape) {
        var elements = new float[Arrays.stream(shape).reduce(1, Math::multiplyExact)];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) (mean + deviation * random.nextGaussian());
        }
        var extents = new ArrayList<Long>();
        Arrays.stream(shape).forEach(extent -> extents.add((long) extent));
        weights.put(name, new Weight(extents, elements));
    }
}
