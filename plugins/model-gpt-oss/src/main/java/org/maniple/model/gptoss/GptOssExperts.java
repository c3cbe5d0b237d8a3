package org.maniple.model.gptoss;

import java.util.List;
import java.util.Optional;
import org.maniple.api.graph.BuiltinOp.Route;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.TensorView.StoredDim;
import org.maniple.api.graph.Value;
import org.maniple.api.model.DecoderShape;
import org.maniple.api.model.ExpertBlocks;
import org.maniple.api.model.ExpertBlocks.Projection;
import org.maniple.api.model.ExpertBlocks.Router;
import org.maniple.api.model.ExpertBlocks.Weights;
import org.maniple.api.model.ExpertShape;
import org.maniple.api.model.ModelConfig;

/**
 * The experts of gpt-oss: stored together, with biases, the columns of gate and up in turns. Matrices in 16 bits are stored with the summed
 * dimension before the output (as the factor on the right of a row), those in MXFP4 with it behind, since blocks run along it.
 *
 * @param graph the model's graph
 * @param shape the decoder's extents
 * @param experts the mixture's extents
 * @param storage how the matrices are stored
 * @param middle the function of gate and up
 */
record GptOssExperts(GraphBuilder graph, DecoderShape shape, ExpertShape experts, Storage storage, ElementFunction middle) {

    /** Ways of storing the matrices. */
    enum Storage {
        /** In one tensor with the output last, in 16 bits or more. */
        TRANSPOSED,
        /** In MXFP4 with the output before the blocks. */
        MXFP4,
        /** Expert by expert, gate and up apart: as GGUF files are given. */
        SEPARATE
    }

    private static final Router ROUTER = new Router("mlp.router", true, Optional.empty(),
            new Route(Route.Score.SOFTMAX_OF_CHOSEN, 1, 1, Route.GroupScore.MAX, false, 1));
    private static final double DEFAULT_ALPHA = 1.702;
    private static final double DEFAULT_LIMIT = 7;

    static GptOssExperts of(ModelConfig config, GraphBuilder graph, DecoderShape shape) {
        var experts = ExpertShape.of(config, "num_local_experts", "intermediate_size");
        var middle = new ElementFunction.ClampedGlu((float) positive(config, "swiglu_alpha", DEFAULT_ALPHA),
                (float) positive(config, "swiglu_limit", DEFAULT_LIMIT));
        Storage storage = config.flag("separate_experts", false)
                ? Storage.SEPARATE
                : mxfp4(config) ? Storage.MXFP4 : Storage.TRANSPOSED;
        return new GptOssExperts(graph, shape, experts, storage, middle);
    }

    /**
     * One layer's mixture.
     *
     * @return {@code mlp.<layer>} {@code [TOKENS, HIDDEN]}
     */
    Value feedForward(int layer, Value x) {
        var blocks = new ExpertBlocks(graph, shape, experts);
        String prefix = "model.layers." + layer + ".mlp.experts.";
        Dim columns = experts.expertColumns();
        Weights weights = storage == Storage.SEPARATE ? separate(blocks, layer) : together(prefix, columns);
        return blocks.routed("mlp." + layer, layer, x, blocks.route(layer, x, ROUTER), weights, middle);
    }

    private Weights separate(ExpertBlocks blocks, int layer) {
        Weights weights = blocks.weights(layer, ExpertBlocks.Names.USUAL);
        String prefix = "model.layers." + layer + ".mlp.experts.";
        return new Weights(biased(weights.gate(), prefix + "gate_proj.bias", experts.expertColumns()),
                biased(weights.up(), prefix + "up_proj.bias", experts.expertColumns()),
                biased(weights.down(), prefix + "down_proj.bias", shape.hiddenChannels()));
    }

    private Projection biased(Projection projection, String tensor, Dim output) {
        return new Projection(projection.weight(), Optional.of(graph.parameter(tensor, experts.routedExperts(), output)));
    }

    private Weights together(String prefix, Dim columns) {
        return new Weights(oneOfTwo(prefix + "gate_up_proj", "gate", 0), oneOfTwo(prefix + "gate_up_proj", "up", 1),
                projection(prefix + "down_proj", "", TensorView.dim(shape.hiddenChannels()), shape.hiddenChannels(), columns));
    }

    /** Gate and up share a tensor: a column of one, a column of the other. */
    private Projection oneOfTwo(String tensor, String word, int index) {
        Dim columns = experts.expertColumns();
        StoredDim turns = TensorView.dim(TensorView.whole(columns), TensorView.pick(2, index));
        return projection(tensor, ":" + word, turns, columns, shape.hiddenChannels());
    }

    private Projection projection(String tensor, String part, StoredDim storedOutput, Dim output, Dim summed) {
        StoredDim storedExperts = TensorView.dim(experts.routedExperts());
        TensorView view = storage == Storage.MXFP4
                ? new TensorView.Mxfp4(tensor + "_blocks", tensor + "_scales",
                        List.of(storedExperts, storedOutput, TensorView.dim(summed)))
                : TensorView.stored(tensor, storedExperts, TensorView.dim(summed), storedOutput);
        Parameter weight = graph.parameter(tensor + part, view, experts.routedExperts(), output, summed);
        TensorView stored = TensorView.stored(tensor + "_bias", storedExperts, storedOutput);
        return new Projection(weight,
                Optional.of(graph.parameter(tensor + "_bias" + part, stored, experts.routedExperts(), output)));
    }

    private static boolean mxfp4(ModelConfig config) {
        if (config.object("quantization_config").isEmpty()) {
            return false;
        }
        if (!config.object("quantization_config").get().text("quant_method").orElse("").equals("mxfp4")) {
            throw config.unsupported("quantization_config", "no such key (F32, F16 or BF16), or quant_method mxfp4");
        }
        for (String key : List.of("hidden_size", "intermediate_size")) {
            if (config.extent(key) % TensorView.Mxfp4.BLOCK != 0) {
                throw config.unsupported(key,
                        "a multiple of " + TensorView.Mxfp4.BLOCK + ", since quant_method mxfp4 stores as many"
                                + " elements in a block");
            }
        }
        return true;
    }

    private static double positive(ModelConfig config, String key, double fallback) {
        double value = config.number(key, fallback);
        if (value <= 0) {
            throw config.unsupported(key, "a positive number");
        }
        return value;
    }
}
