package org.maniple.model.gemma;

import java.util.List;
import java.util.Optional;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Value;
import org.maniple.api.model.DecoderBlocks;
import org.maniple.api.model.DecoderBlocks.Attention;
import org.maniple.api.model.DecoderBlocks.FeedForward;
import org.maniple.api.model.DecoderShape;
import org.maniple.api.model.LayerTypes;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.RopeFrequencies;

/**
 * The text models of Gemma 3: norms with 1 + w before and after both halves of a block and on each head's queries and keys, layers with a
 * window between layers without, each kind with its own rotary base.
 */
public final class GemmaFamily implements ModelArchitecture {

    private static final String ARCHITECTURE = "Gemma3ForCausalLM";
    private static final double GLOBAL_THETA = 1_000_000;
    private static final int DEFAULT_PATTERN = 6;

    @Override
    public String name() {
        return "gemma";
    }

    @Override
    public boolean accepts(ModelConfig config) {
        return config.architecture().equals(ARCHITECTURE);
    }

    @Override
    public ModelGraph graph(ModelConfig config) {
        refuse(config);
        var shape = DecoderShape.of(config);
        List<String> types = layerTypes(config, shape);
        var global = attention(config, shape, LayerTypes.FULL);
        var local = types.contains(LayerTypes.SLIDING) ? attention(config, shape, LayerTypes.SLIDING) : global;
        String activationKey = config.has("hidden_activation") ? "hidden_activation" : "hidden_act";
        var feedForward = new FeedForward(DecoderBlocks.activation(config, activationKey, "gelu_pytorch_tanh"), false);

        // GGUF files have the 1 in the weights.
        var blocks = new DecoderBlocks(name(), shape, config.flag("norm_weights_with_one", false) ? 0 : 1);
        Value stream = blocks.graph().scale("hidden.0", blocks.embeddings("embedded"), (float) Math.sqrt(shape.hidden()));
        for (int layer = 0; layer < shape.layers(); layer++) {
            stream = block(blocks, layer, stream, types.get(layer).equals(LayerTypes.SLIDING) ? local : global, feedForward);
        }
        return blocks.head(stream, config.flag("tie_word_embeddings", true), softCap(config));
    }

    private static Value block(DecoderBlocks blocks, int layer, Value x, Attention attention, FeedForward feedForward) {
        GraphBuilder graph = blocks.graph().layer(layer);
        String prefix = "model.layers." + layer + ".";
        Value attended = blocks.attention(layer, blocks.norm("attn.in." + layer, x, prefix + "input_layernorm.weight"),
                attention);
        Value attendedNormed = blocks.norm("attn.out." + layer, attended, prefix + "post_attention_layernorm.weight");
        Value between = graph.sum("middle." + layer, x, attendedNormed);
        Value fed = blocks.feedForward(layer,
                blocks.norm("mlp.in." + layer, between, prefix + "pre_feedforward_layernorm.weight"),
                feedForward);
        Value fedNormed = blocks.norm("mlp.out." + layer, fed, prefix + "post_feedforward_layernorm.weight");
        return graph.sum("hidden." + (layer + 1), between, fedNormed);
    }

    private static Attention attention(ModelConfig config, DecoderShape shape, String type) {
        boolean bias = config.flag("attention_bias", false);
        boolean sliding = type.equals(LayerTypes.SLIDING);
        double scalar = config.number("query_pre_attn_scalar");
        if (scalar <= 0) {
            throw config.unsupported("query_pre_attn_scalar", "a positive number");
        }
        int window = sliding ? config.extent("sliding_window") : 0;
        return new Attention(bias, bias, true, rope(config, shape, type), 1 / Math.sqrt(scalar), window);
    }

    /** In the older style of configuration, scaling and {@code rope_theta} are those of the global layers alone. */
    private static BuiltinOp.Rope rope(ModelConfig config, DecoderShape shape, String type) {
        boolean sliding = type.equals(LayerTypes.SLIDING);
        if (config.has("rope_parameters")) {
            return RopeFrequencies.of(config, shape.headDim(), type, sliding ? RopeFrequencies.DEFAULT_THETA : GLOBAL_THETA);
        }
        if (!sliding) {
            return RopeFrequencies.of(config, shape.headDim(), type, GLOBAL_THETA);
        }
        double theta = config.number("rope_local_base_freq", RopeFrequencies.DEFAULT_THETA);
        if (theta <= 1) {
            throw config.unsupported("rope_local_base_freq", "a number greater than 1");
        }
        return RopeFrequencies.plain(theta, shape.headDim());
    }

    private static List<String> layerTypes(ModelConfig config, DecoderShape shape) {
        int pattern = config.extent("sliding_window_pattern", DEFAULT_PATTERN);
        return LayerTypes.of(config, shape.layers(), layer -> (layer + 1) % pattern == 0 ? LayerTypes.FULL : LayerTypes.SLIDING);
    }

    private static Optional<ElementFunction.SoftCap> softCap(ModelConfig config) {
        if (!config.has("final_logit_softcapping")) {
            return Optional.empty();
        }
        double cap = config.number("final_logit_softcapping");
        if (cap <= 0) {
            throw config.unsupported("final_logit_softcapping", "null or a positive number");
        }
        return Optional.of(new ElementFunction.SoftCap((float) cap));
    }

    private static void refuse(ModelConfig config) {
        if (config.has("attn_logit_softcapping")) {
            throw config.unsupported("attn_logit_softcapping", "null: attention scores with a soft cap are not supported");
        }
        if (config.flag("use_bidirectional_attention", false)) {
            throw config.unsupported("use_bidirectional_attention", "false: every layer is causal here");
        }
    }
}
