package org.maniple.model.glm;

import java.util.Optional;
import java.util.function.UnaryOperator;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Value;
import org.maniple.api.model.DecoderBlocks;
import org.maniple.api.model.DecoderBlocks.Attention;
import org.maniple.api.model.DecoderBlocks.FeedForward;
import org.maniple.api.model.DecoderShape;
import org.maniple.api.model.ExpertBlocks;
import org.maniple.api.model.ExpertBlocks.Mixture;
import org.maniple.api.model.ExpertBlocks.Names;
import org.maniple.api.model.ExpertBlocks.Router;
import org.maniple.api.model.ExpertBlocks.Shared;
import org.maniple.api.model.ExpertShape;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;
import org.maniple.api.model.RopeFrequencies;

/**
 * GLM-4.5, 4.6 and 4.7: grouped-query attention that turns half of each head, a few dense layers, then mixtures of experts with the router of
 * DeepSeek-V3. The layers behind the last one, which predict further tokens, are not part of the graph: nothing of them is read.
 *
 * <p>Sources: GLM-4.5 Team, "GLM-4.5: Agentic, Reasoning, and Coding (ARC) Foundation Models", section 2.1; the published configurations.
 */
public final class GlmFamily implements ModelArchitecture {

    private static final String ARCHITECTURE = "Glm4MoeForCausalLM";

    /** What published implementations assume where {@code partial_rotary_factor} is absent. */
    private static final double TURNED_SHARE = 0.5;

    @Override
    public String name() {
        return "glm";
    }

    @Override
    public boolean accepts(ModelConfig config) {
        return config.architecture().equals(ARCHITECTURE);
    }

    @Override
    public ModelGraph graph(ModelConfig config) {
        var shape = DecoderShape.of(config);
        var experts = ExpertShape.of(config, "n_routed_experts", "moe_intermediate_size");
        var attention = new Attention(config.flag("attention_bias", false), false, config.flag("use_qk_norm", false),
                RopeFrequencies.partial(config, shape.headDim(), TURNED_SHARE), 1 / Math.sqrt(shape.headDim()), 0);
        var dense = new FeedForward(DecoderBlocks.activation(config, "hidden_act", "silu"), false);
        var mixture = new Mixture(Router.corrected(config, experts), Names.USUAL, dense.activation(),
                Shared.counted(config, experts));
        int firstSparse = config.integer("first_k_dense_replace", 1);
        if (firstSparse < 0) {
            throw config.unsupported("first_k_dense_replace", "the number of dense layers before the first with experts");
        }

        var blocks = new DecoderBlocks(name(), shape, 0);
        var expertBlocks = new ExpertBlocks(blocks.graph(), shape, experts);
        Value stream = blocks.embeddings("hidden.0");
        for (int i = 0; i < shape.layers(); i++) {
            int layer = i;
            UnaryOperator<Value> feedForward = layer < firstSparse
                    ? in -> blocks.feedForward(layer, in, dense)
                    : in -> expertBlocks.feedForward(layer, in, mixture);
            stream = blocks.block(layer, stream, in -> blocks.attention(layer, in, attention), feedForward);
        }
        return blocks.head(stream, config.flag("tie_word_embeddings", false), Optional.empty());
    }
}
