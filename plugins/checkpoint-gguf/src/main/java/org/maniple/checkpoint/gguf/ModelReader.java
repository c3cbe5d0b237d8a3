package org.maniple.checkpoint.gguf;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.maniple.api.checkpoint.CheckpointException;
import org.maniple.api.tensor.DType;

/** Reads what the metadata of all architectures says in the same way, and puts it down as a published configuration would. */
final class ModelReader {

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int MAX_DIVISORS = 1 << 16;
    private static final int MAX_LAYERS = 1 << 16;

    private final GgufModel model;
    private final Metadata metadata;
    private final String prefix;
    private final Map<String, Object> config = new LinkedHashMap<>();

    ModelReader(GgufModel model, String architecture) {
        this.model = model;
        this.metadata = model.metadata();
        this.prefix = architecture + ".";
    }

    GgufModel model() {
        return model;
    }

    Metadata metadata() {
        return metadata;
    }

    /** The full name of a key of the architecture. */
    String key(String name) {
        return prefix + name;
    }

    /** A value of the architecture. */
    int integer(String key) {
        return metadata.requiredInteger(prefix + key);
    }

    Optional<Integer> optional(String key) {
        return metadata.integer(prefix + key);
    }

    Optional<Double> number(String key) {
        return metadata.number(prefix + key);
    }

    ModelReader put(String key, Object value) {
        config.put(key, value);
        return this;
    }

    /** Copies a value if it is there. */
    ModelReader copy(String key, String published) {
        number(key).ifPresent(value -> config.put(published, value));
        return this;
    }

    /** Refuses a value that the published model cannot have. */
    CheckpointException unsupported(String key, String expected) {
        return metadata.wrong(prefix + key, expected);
    }

    boolean has(String tensor) {
        return model.tensor(tensor).isPresent();
    }

    /** The layers that have no such tensor. */
    List<Integer> without(String tensor) {
        int layers = Math.min(integer("block_count"), MAX_LAYERS);
        return IntStream.range(0, layers).filter(layer -> !has("blk." + layer + "." + tensor)).boxed().toList();
    }

    /** The end: the configuration, and the tensors by their published names. */
    MappedModel named(TensorNames names) {
        return new MappedModel(config, names.of(model));
    }

    /**
     * What all decoders have.
     *
     * @param architecture the published name
     */
    ModelReader decoder(String architecture) {
        int heads = integer("attention.head_count");
        int hidden = integer("embedding_length");
        if (heads < 1) {
            throw unsupported("attention.head_count", "at least 1");
        }
        put("architectures", List.of(architecture)).put("hidden_size", hidden).put("num_attention_heads", heads);
        put("num_key_value_heads", optional("attention.head_count_kv").orElse(heads));
        put("num_hidden_layers", layers()).put("max_position_embeddings", integer("context_length"));
        put("rms_norm_eps", number("attention.layer_norm_rms_epsilon")
                .orElseThrow(() -> metadata.missing(prefix + "attention.layer_norm_rms_epsilon")));
        put("vocab_size", vocabulary()).put("tie_word_embeddings", !has("output.weight"));
        optional("feed_forward_length").ifPresent(columns -> put("intermediate_size", columns));
        for (String token : List.of("bos", "eos", "padding")) {
            metadata.integer("tokenizer.ggml." + token + "_token_id")
                    .ifPresent(id -> put((token.equals("padding") ? "pad" : token) + "_token_id", id));
        }
        return this;
    }

    /** Heads whose queries, keys and values are as long. */
    ModelReader alikeHeads() {
        int heads = integer("attention.head_count");
        int length = optional("attention.key_length").orElse(integer("embedding_length") / heads);
        if (!optional("attention.value_length").orElse(length).equals(length)) {
            throw unsupported("attention.value_length", "[" + length + "], as long as keys");
        }
        put("head_dim", length);
        int turned = optional("rope.dimension_count").orElse(length);
        if (turned != length) {
            put("partial_rotary_factor", (double) turned / length);
        }
        return this;
    }

    /** Layers of which the output is made: those behind them, which predict further tokens, are not counted. */
    private int layers() {
        int layers = Math.min(integer("block_count"), MAX_LAYERS);
        if (layers < 1) {
            throw unsupported("block_count", "at least 1");
        }
        int counted = layers;
        while (counted > 1 && has("blk." + (counted - 1) + ".nextn.eh_proj.weight")) {
            counted--;
        }
        return Math.min(counted, Math.max(1, layers - optional("nextn_predict_layers").orElse(0)));
    }

    private long vocabulary() {
        GgufTensor embedding = model.tensor("token_embd.weight")
                .orElseThrow(() -> new CheckpointException(metadata.file() + ": tensor [token_embd.weight] is missing"));
        return embedding.shape().getFirst();
    }

    /** Base and scaling of rotary positions. */
    ModelReader rope() {
        put("rope_theta", number("rope.freq_base").orElse(10_000.0));
        var scaling = new LinkedHashMap<String, Object>();
        GgufModel.Placed frequencies = model.tensors().get("rope_freqs.weight");
        if (frequencies != null) {
            scaling.put("rope_type", "divisors");
            scaling.put("divisors", divisors(frequencies));
        } else {
            scaling(scaling);
        }
        if (!scaling.isEmpty()) {
            put("rope_scaling", scaling);
        }
        return this;
    }

    private void scaling(Map<String, Object> scaling) {
        double factor = number("rope.scaling.factor").or(() -> number("rope.scale_linear")).orElse(1.0);
        String type = metadata.text(prefix + "rope.scaling.type").orElse(factor == 1 ? "none" : "linear");
        switch (type) {
            case "none" -> {
            }
            case "linear" -> {
                if (factor != 1) {
                    scaling.put("rope_type", "linear");
                    scaling.put("factor", factor);
                }
            }
            case "yarn" -> yarn(scaling, factor);
            default -> throw unsupported("rope.scaling.type", "none, linear or yarn");
        }
    }

    /** Adds to the scaling of rotary positions, if there is one. */
    ModelReader scaling(String key, Object value) {
        if (config.get("rope_scaling") instanceof Map<?, ?> scaling) {
            var extended = new LinkedHashMap<Object, Object>(scaling);
            extended.put(key, value);
            config.put("rope_scaling", extended);
        }
        return this;
    }

    private void yarn(Map<String, Object> scaling, double factor) {
        scaling.put("rope_type", "yarn");
        scaling.put("factor", factor);
        optional("rope.scaling.original_context_length")
                .ifPresent(length -> scaling.put("original_max_position_embeddings", length));
        number("rope.scaling.yarn_beta_fast").ifPresent(value -> scaling.put("beta_fast", value));
        number("rope.scaling.yarn_beta_slow").ifPresent(value -> scaling.put("beta_slow", value));
        // A tenth of DeepSeek's mscale_all_dim, which its models say for both factors.
        number("rope.scaling.yarn_log_multiplier").filter(value -> value > 0).ifPresent(value -> {
            double mscale = Double.parseDouble(Float.toString((float) (value * 10)));
            scaling.put("mscale", mscale);
            scaling.put("mscale_all_dim", mscale);
        });
    }

    private static List<Double> divisors(GgufModel.Placed placed) {
        GgufTensor tensor = placed.tensor();
        long count = tensor.bytes() / Float.BYTES;
        if (tensor.dtype() != DType.F32 || count > MAX_DIVISORS) {
            throw new CheckpointException(placed.file().path() + ": tensor [" + tensor.name() + "] is " + tensor.dtype()
                    + tensor.shape() + "; expected at most " + MAX_DIVISORS + " elements of type F32");
        }
        var divisors = new ArrayList<Double>();
        try (Arena arena = Arena.ofConfined()) {
            var memory = placed.file().map(tensor.position(), tensor.bytes(), arena);
            for (long i = 0; i < count; i++) {
                divisors.add((double) memory.get(FLOAT, i * Float.BYTES));
            }
        }
        return divisors;
    }
}
