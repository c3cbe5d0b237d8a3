package org.maniple.model.olmoe;

import java.util.Optional;
import org.maniple.api.graph.BuiltinOp.Route;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Value;
import org.maniple.api.model.DecoderBlocks;
import org.maniple.api.model.DecoderBlocks.Attention;
import org.maniple.api.model.DecoderShape;
import org.maniple.api.model.ExpertBlocks;
import org.maniple.api.model.ExpertBlocks.Mixture;
import org.maniple.api.model.ExpertBlocks.Names;
import org.maniple.api.model.ExpertBlocks.Router;
import org.maniple.api.model.ExpertShape;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.RopeFrequencies;

/**
 * OLMoE: a mixture of experts in every layer, chosen by a softmax over all of them; queries and keys pass a norm over all heads together, and
 * may be clipped.
 *
 * <p>Source: Muennighoff et al., "OLMoE: Open Mixture-of-Experts Language Models", section 2.
 */
public final class OlmoeFamily implements ModelArchitecture {

    private static final String ARCHITECTURE = "OlmoeForCausalLM";

    @Override
    public String name() {
        return "olmoe";
    }

    @Override
    public boolean accepts(ModelConfig config) {
        return config.architecture().equals(ARCHITECTURE);
    }

    @Override
    public ModelGraph graph(ModelConfig config) {
        var shape = DecoderShape.of(config);
        var experts = ExpertShape.of(config, "num_experts", "intermediate_size");
        boolean bias = config.flag("attention_bias", false);
        var attention = new Attention(bias, bias, Attention.Norms.ALL_HEADS, RopeFrequencies.of(config, shape.headDim()),
                1 / Math.sqrt(shape.headDim()), 0, clip(config), false);
        var route = new Route(Route.Score.SOFTMAX, 1, 1, Route.GroupScore.MAX, config.flag("norm_topk_prob", false), 1);
        var mixture = new Mixture(new Router("mlp.gate", false, Optional.empty(), route), Names.USUAL,
                DecoderBlocks.activation(config, "hidden_act", "silu"), Optional.empty());

        var blocks = new DecoderBlocks(name(), shape, 0);
        var expertBlocks = new ExpertBlocks(blocks.graph(), shape, experts);
        Value stream = blocks.embeddings("hidden.0");
        for (int i = 0; i < shape.layers(); i++) {
            int layer = i;
            stream = blocks.block(layer, stream, in -> blocks.attention(layer, in, attention),
                    in -> expertBlocks.feedForward(layer, in, mixture));
        }
        return blocks.head(stream, config.flag("tie_word_embeddings", false), Optional.empty());
    }

    private static float clip(ModelConfig config) {
        if (!config.has("clip_qkv")) {
            return Float.POSITIVE_INFINITY;
        }
        double clip = config.number("clip_qkv");
        if (clip <= 0) {
            throw config.unsupported("clip_qkv", "null or a positive number");
        }
        return (float) clip;
    }
}
