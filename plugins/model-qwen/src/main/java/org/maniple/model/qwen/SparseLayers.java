package org.maniple.model.qwen;

import java.util.List;
import java.util.Optional;
import org.maniple.api.graph.BuiltinOp.Route;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.Value;
import org.maniple.api.model.DecoderBlocks.FeedForward;
import org.maniple.api.model.DecoderShape;
import org.maniple.api.model.ExpertBlocks;
import org.maniple.api.model.ExpertBlocks.Mixture;
import org.maniple.api.model.ExpertBlocks.Router;
import org.maniple.api.model.ExpertBlocks.Shared;
import org.maniple.api.model.ExpertShape;
import org.maniple.api.model.ModelConfig;

/**
 * The layers that have experts, and what they have. Scores are a softmax over all experts. Qwen2 has a shared expert with a gate beside
 * them; Qwen3 has none.
 *
 * @param experts builds them
 * @param mixture what they are alike in
 * @param step every how many layers one has experts
 * @param dense layers that have none nevertheless
 */
record SparseLayers(ExpertBlocks experts, Mixture mixture, int step, List<Integer> dense) {

    static SparseLayers qwen2(ModelConfig config, DecoderShape shape, FeedForward feedForward, GraphBuilder graph) {
        var shared = new Shared("mlp.shared_expert.", config.extent("shared_expert_intermediate_size"),
                Optional.of("mlp.shared_expert_gate.weight"));
        return of(config, shape, feedForward, graph, Optional.of(shared));
    }

    static SparseLayers qwen3(ModelConfig config, DecoderShape shape, FeedForward feedForward, GraphBuilder graph) {
        return of(config, shape, feedForward, graph, Optional.empty());
    }

    private static SparseLayers of(ModelConfig config, DecoderShape shape, FeedForward feedForward, GraphBuilder graph,
            Optional<Shared> shared) {
        var experts = ExpertShape.of(config, "num_experts", "moe_intermediate_size");
        var route = new Route(Route.Score.SOFTMAX, 1, 1, Route.GroupScore.MAX, config.flag("norm_topk_prob", false), 1);
        var router = new Router("mlp.gate", false, Optional.empty(), route);
        return new SparseLayers(new ExpertBlocks(graph, shape, experts),
                new Mixture(router, ExpertBlocks.Names.USUAL, feedForward.activation(), shared),
                config.extent("decoder_sparse_step", 1), config.integers("mlp_only_layers"));
    }

    boolean has(int layer) {
        return !dense.contains(layer) && (layer + 1) % step == 0;
    }

    Value feedForward(int layer, Value x) {
        return experts.feedForward(layer, x, mixture);
    }
}
