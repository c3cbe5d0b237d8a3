package org.maniple.api.model;

import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;

/**
 * The extents of a decoder with grouped-query attention, read from the keys that most families share and checked against each
 * other.
 *
 * @param layers the number of blocks
 * @param hidden channels of the residual stream
 * @param heads query heads
 * @param kvHeads key-value heads, a divisor of {@code heads}
 * @param headDim elements of a head
 * @param ffn columns of a dense feed-forward network
 * @param vocabulary token ids
 * @param contextLength positions that the model was made for
 * @param epsilon of all norms
 */
public record DecoderShape(int layers, int hidden, int heads, int kvHeads, int headDim, int ffn, int vocabulary,
        int contextLength,
        double epsilon) {

    /** Elements of a head; never split. */
    public static final Axis HEAD_DIM = new Axis("hd");

    /** More than any model has; a damaged configuration should not fill the memory with operations. */
    private static final int MAX_LAYERS = 4096;
    private static final int MAX_HEAD_DIM = 8192;

    /**
     * Reads the extents.
     *
     * @param config the model's configuration
     * @return the extents
     * @throws ModelConfigException if a key is missing or does not fit the others, or if the weights are quantised in a way that cannot be
     *     read
     */
    public static DecoderShape of(ModelConfig config) {
        int heads = config.extent("num_attention_heads");
        return of(config, keyValueHeads(config, heads), headDim(config, config.extent("hidden_size"), heads));
    }

    /**
     * Reads the extents of a decoder whose heads are not described by {@code num_key_value_heads} and {@code head_dim}.
     *
     * @param config the model's configuration
     * @param kvHeads key-value heads, a divisor of {@code num_attention_heads}
     * @param headDim elements of a head
     * @return the extents
     * @throws ModelConfigException as {@link #of(ModelConfig)}
     */
    public static DecoderShape of(ModelConfig config, int kvHeads, int headDim) {
        WeightQuantisation.check(config);
        int layers = config.extent("num_hidden_layers");
        if (layers > MAX_LAYERS) {
            throw config.unsupported("num_hidden_layers", "at most " + MAX_LAYERS);
        }
        double epsilon = config.number("rms_norm_eps", 1e-6);
        if (epsilon < 0) {
            throw config.unsupported("rms_norm_eps", "a number that is not negative");
        }
        return new DecoderShape(layers, config.extent("hidden_size"), config.extent("num_attention_heads"), kvHeads, headDim,
                config.extent("intermediate_size"), config.extent("vocab_size"), RopeFrequencies.contextLength(config), epsilon);
    }

    /**
     * The dimension of the residual stream.
     *
     * @return {@link Axes#HIDDEN}
     */
    public Dim hiddenChannels() {
        return Axes.HIDDEN.of(hidden);
    }

    /**
     * The dimension of query heads.
     *
     * @return {@link Axes#HEADS}
     */
    public Dim queryHeads() {
        return Axes.HEADS.of(heads);
    }

    /**
     * The dimension of key-value heads.
     *
     * @return {@link Axes#KV_HEADS}
     */
    public Dim keyValueHeads() {
        return Axes.KV_HEADS.of(kvHeads);
    }

    /**
     * The dimension within a head.
     *
     * @return {@link #HEAD_DIM}
     */
    public Dim headElements() {
        return HEAD_DIM.of(headDim);
    }

    private static int keyValueHeads(ModelConfig config, int heads) {
        int kvHeads = config.extent("num_key_value_heads", heads);
        if (heads % kvHeads != 0) {
            throw config.unsupported("num_key_value_heads", "a divisor of num_attention_heads [" + heads + "]");
        }
        return kvHeads;
    }

    private static int headDim(ModelConfig config, int hidden, int heads) {
        if (!config.has("head_dim") && hidden % heads != 0) {
            throw config.unsupported("hidden_size",
                    "a multiple of num_attention_heads [" + heads + "], since there is no key [head_dim]");
        }
        int headDim = config.extent("head_dim", Math.max(1, hidden / heads));
        if (headDim > MAX_HEAD_DIM || headDim % 2 != 0) {
            throw config.unsupported(config.has("head_dim") ? "head_dim" : "hidden_size",
                    "a head dimension that is even and at most " + MAX_HEAD_DIM + ", not " + headDim);
        }
        return headDim;
    }
}
