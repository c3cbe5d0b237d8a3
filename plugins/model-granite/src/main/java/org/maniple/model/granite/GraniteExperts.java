package org.maniple.model.granite;

import java.util.Optional;
import org.maniple.api.graph.BuiltinOp.Route;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.TensorView.StoredDim;
import org.maniple.api.graph.Value;
import org.maniple.api.model.DecoderShape;
import org.maniple.api.model.ExpertBlocks;
import org.maniple.api.model.ExpertBlocks.Names;
import org.maniple.api.model.ExpertBlocks.Projection;
import org.maniple.api.model.ExpertBlocks.Router;
import org.maniple.api.model.ExpertBlocks.Weights;
import org.maniple.api.model.ExpertShape;
import org.maniple.api.model.ModelConfig;

/**
 * The experts of Granite: stored together, gate above up in one tensor; their weights are a softmax over the chosen ones alone.
 *
 * @param graph the model's graph
 * @param shape the decoder's extents
 * @param experts the mixture's extents
 * @param activation the function of the gates
 * @param separate whether they are stored expert by expert, gate and up apart: as GGUF files are given
 */
record GraniteExperts(GraphBuilder graph, DecoderShape shape, ExpertShape experts, ElementFunction.Activation activation,
        boolean separate) {

    private static final Names NAMES = new Names("block_sparse_moe.experts.{}.gate_proj", "block_sparse_moe.experts.{}.up_proj",
            "block_sparse_moe.experts.{}.down_proj");
    private static final Router ROUTER = new Router("block_sparse_moe.router.layer", false, Optional.empty(),
            new Route(Route.Score.SOFTMAX_OF_CHOSEN, 1, 1, Route.GroupScore.MAX, false, 1));

    static GraniteExperts of(ModelConfig config, GraphBuilder graph, DecoderShape shape, ElementFunction.Activation activation) {
        return new GraniteExperts(graph, shape, ExpertShape.of(config, "num_local_experts", "intermediate_size"), activation,
                config.flag("separate_experts", false));
    }

    /**
     * One layer's mixture.
     *
     * @param name of the output
     * @param layer the block's number
     * @param x {@code [TOKENS, HIDDEN]}, after the norm
     * @return {@code [TOKENS, HIDDEN]}
     */
    Value feedForward(String name, int layer, Value x) {
        var blocks = new ExpertBlocks(graph, shape, experts);
        String prefix = "model.layers." + layer + ".block_sparse_moe.";
        Dim columns = experts.expertColumns();
        Weights weights = separate ? blocks.weights(layer, NAMES) : together(prefix, columns);
        return blocks.routed(name, layer, x, blocks.route(layer, x, ROUTER), weights,
                new ElementFunction.Glu(activation));
    }

    private Weights together(String prefix, Dim columns) {
        return new Weights(half(prefix, "gate", 0), half(prefix, "up", 1),
                projection(prefix + "output_linear.weight", "", TensorView.dim(shape.hiddenChannels()), shape.hiddenChannels(),
                        columns));
    }

    private Projection half(String prefix, String word, int index) {
        Dim columns = experts.expertColumns();
        StoredDim rows = TensorView.dim(TensorView.pick(2, index), TensorView.whole(columns));
        return projection(prefix + "input_linear.weight", ":" + word, rows, columns, shape.hiddenChannels());
    }

    private Projection projection(String tensor, String part, StoredDim rows, Dim output, Dim summed) {
        TensorView view = TensorView.stored(tensor, TensorView.dim(experts.routedExperts()), rows, TensorView.dim(summed));
        return new Projection(graph.parameter(tensor + part, view, experts.routedExperts(), output, summed), Optional.empty());
    }
}
