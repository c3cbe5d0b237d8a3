package org.maniple.model.mixtral;

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
 * Mixtral: Mistral's attention and a mixture of experts in every layer, whose weights are a softmax over the chosen experts alone.
 *
 * <p>Source: Jiang et al., "Mixtral of Experts", section 2.1.
 */
public final class MixtralFamily implements ModelArchitecture {

    private static final String ARCHITECTURE = "MixtralForCausalLM";
    private static final Names NAMES = new Names("block_sparse_moe.experts.{}.w1", "block_sparse_moe.experts.{}.w3",
            "block_sparse_moe.experts.{}.w2");
    private static final Router ROUTER = new Router("block_sparse_moe.gate", false, Optional.empty(),
            new Route(Route.Score.SOFTMAX_OF_CHOSEN, 1, 1, Route.GroupScore.MAX, false, 1));

    @Override
    public String name() {
        return "mixtral";
    }

    @Override
    public boolean accepts(ModelConfig config) {
        return config.architecture().equals(ARCHITECTURE);
    }

    @Override
    public ModelGraph graph(ModelConfig config) {
        var shape = DecoderShape.of(config);
        var experts = ExpertShape.of(config, "num_local_experts", "intermediate_size");
        int window = config.has("sliding_window") ? config.extent("sliding_window") : 0;
        var attention = new Attention(false, false, false, RopeFrequencies.of(config, shape.headDim()),
                1 / Math.sqrt(shape.headDim()), window);
        var mixture = new Mixture(ROUTER, NAMES, DecoderBlocks.activation(config, "hidden_act", "silu"), Optional.empty());

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
}
