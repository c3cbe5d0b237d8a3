package org.maniple.model.deepseek;

import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Value;
import org.maniple.api.model.DecoderBlocks;
import org.maniple.api.model.DecoderBlocks.FeedForward;
import org.maniple.api.model.DecoderShape;
import org.maniple.api.model.ExpertBlocks;
import org.maniple.api.model.ExpertBlocks.Mixture;
import org.maniple.api.model.ExpertBlocks.Shared;
import org.maniple.api.model.ExpertShape;
import org.maniple.api.model.ModelArchitecture;
import org.maniple.api.model.ModelConfig;

/**
 * DeepSeek-V2 and V2-Lite; DeepSeek-V3, R1 and V3.1; Kimi-K2, which has the architecture of V3. Attention over cached latents, a few dense
 * layers, then mixtures of experts with one that every token passes. The layer behind the last one, which predicts a further token, is part of
 * {@link #draftingGraph} only: otherwise nothing of it is read.
 *
 * <p>Sources: DeepSeek-AI, "DeepSeek-V2", section 2; "DeepSeek-V3 Technical Report", section 2; the published configurations.
 */
public final class DeepseekFamily implements ModelArchitecture {

    private static final String V2 = "DeepseekV2ForCausalLM";
    private static final String V3 = "DeepseekV3ForCausalLM";
    private static final String V32 = "DeepseekV32ForCausalLM";
    private static final Set<String> ARCHITECTURES = Set.of(V2, V3, V32);

    @Override
    public String name() {
        return "deepseek";
    }

    /** V3.2 is accepted to be refused by {@link #graph} with the reason. */
    @Override
    public boolean accepts(ModelConfig config) {
        return ARCHITECTURES.contains(config.architecture());
    }

    @Override
    public ModelGraph graph(ModelConfig config) {
        return graph(config, false);
    }

    @Override
    public Optional<ModelGraph> draftingGraph(ModelConfig config) {
        boolean has = config.architecture().equals(V3) && config.integer("num_nextn_predict_layers", 0) > 0;
        return has ? Optional.of(graph(config, true)) : Optional.empty();
    }

    private ModelGraph graph(ModelConfig config, boolean guessing) {
        refuse(config);
        var attention = LatentAttention.of(config);
        var shape = DecoderShape.of(config, config.extent("num_attention_heads"), attention.queryElements());
        var experts = ExpertShape.of(config, "n_routed_experts", "moe_intermediate_size");
        var dense = new FeedForward(DecoderBlocks.activation(config, "hidden_act", "silu"), false);
        var router = config.architecture().equals(V2) ? Routers.v2(config, experts) : Routers.v3(config, experts);
        var mixture = new Mixture(router, ExpertBlocks.Names.USUAL, dense.activation(), Shared.counted(config, experts));
        IntPredicate sparse = sparse(config);

        var blocks = new DecoderBlocks(name(), shape, 0);
        var expertBlocks = new ExpertBlocks(blocks.graph(), shape, experts);
        Value stream = blocks.embeddings("hidden.0");
        for (int i = 0; i < shape.layers(); i++) {
            int layer = i;
            UnaryOperator<Value> feedForward = sparse.test(layer)
                    ? in -> expertBlocks.feedForward(layer, in, mixture)
                    : in -> blocks.feedForward(layer, in, dense);
            stream = blocks.block(layer, stream, in -> attention.build(blocks, shape, layer, in), feedForward);
        }
        ModelGraph graph = blocks.head(stream, config.flag("tie_word_embeddings", false), Optional.empty());
        int behind = shape.layers();
        return guessing
                ? blocks.draft(graph, in -> attention.build(blocks, shape, behind, in),
                        in -> expertBlocks.feedForward(behind, in, mixture))
                : graph;
    }

    private static IntPredicate sparse(ModelConfig config) {
        int first = config.integer("first_k_dense_replace");
        if (first < 0) {
            throw config.unsupported("first_k_dense_replace", "the number of dense layers before the first with experts");
        }
        int every = config.extent("moe_layer_freq", 1);
        return layer -> layer >= first && layer % every == 0;
    }

    private static void refuse(ModelConfig config) {
        if (config.architecture().equals(V32) || config.has("index_topk")) {
            throw config.unsupported(config.has("index_topk") ? "index_topk" : "architectures",
                    "a model without DeepSeek Sparse Attention"
                            + " (" + V2 + " or " + V3
                            + "): the indexer of V3.2, which chooses the positions that a token sees, is not supported");
        }
        if (config.flag("attention_bias", false)) {
            throw config.unsupported("attention_bias", "false: projections of latent attention with a bias are not supported");
        }
    }
}
