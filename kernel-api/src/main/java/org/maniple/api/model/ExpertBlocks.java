package org.maniple.api.model;

import java.util.List;
import java.util.Optional;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.Value;

/**
 * The pieces that mixtures of experts are made of, beside {@link DecoderBlocks} and on the same graph: a router, routed experts, and experts
 * that every token passes. Names of tensors are relative to {@code model.layers.<i>.}; values are named so that observers find the ids of a
 * layer's chosen experts as {@code experts.<i>}, their weights as {@code experts.<i>.weights}, and the layer's sum as {@code mlp.<i>}. Not
 * safe for use by several threads.
 */
public final class ExpertBlocks {

    /** The gate of a shared expert is one column. */
    private static final Dim ONE = new Axis("one").of(1);

    /**
     * What chooses a token's experts.
     *
     * @param tensor where its logits come from: {@code <tensor>.weight} {@code [GATES, HIDDEN]}
     * @param bias whether {@code <tensor>.bias} {@code [GATES]} is added to them
     * @param correction the name of {@code [GATES]} that is added to the scores for choosing only, if there is one
     * @param route how experts are chosen from the logits
     */
    public record Router(String tensor, boolean bias, Optional<String> correction, BuiltinOp.Route route) {}

    /**
     * The names of matrices that are stored expert by expert, without {@code .weight}, with {@code {}} in place of the expert's number.
     *
     * @param gate {@code [EXPERT_FFN, HIDDEN]}
     * @param up {@code [EXPERT_FFN, HIDDEN]}
     * @param down {@code [HIDDEN, EXPERT_FFN]}
     */
    public record Names(String gate, String up, String down) {
        /** What most families call them. */
        public static final Names USUAL = new Names("mlp.experts.{}.gate_proj", "mlp.experts.{}.up_proj",
                "mlp.experts.{}.down_proj");
    }

    /**
     * One of the three projections of the routed experts.
     *
     * @param weight {@code [EXPERTS, output, summed]}
     * @param bias {@code [EXPERTS, output]}, if there is one
     */
    public record Projection(Parameter weight, Optional<Parameter> bias) {}

    /**
     * The weights of a layer's routed experts.
     *
     * @param gate from HIDDEN to EXPERT_FFN
     * @param up from HIDDEN to EXPERT_FFN
     * @param down from EXPERT_FFN to HIDDEN
     */
    public record Weights(Projection gate, Projection up, Projection down) {}

    /**
     * An expert that every token passes (or several of them, which are stored as one).
     *
     * @param tensors what the names of its three matrices begin with, for example {@code mlp.shared_experts.}
     * @param columns its columns
     * @param gate the name of {@code [1, HIDDEN]}, the sigmoid of whose product with a token its output is multiplied by, if there is one
     */
    public record Shared(String tensors, int columns, Optional<String> gate) {}

    /**
     * One layer's mixture.
     *
     * @param router what chooses experts
     * @param names the routed experts' matrices
     * @param activation the function of all experts' gates
     * @param shared the expert that every token passes, if there is one
     */
    public record Mixture(Router router, Names names, ElementFunction.Activation activation, Optional<Shared> shared) {}

    private final GraphBuilder graph;
    private final DecoderShape shape;
    private final ExpertShape experts;

    /**
     * Pieces for a graph.
     *
     * @param graph the graph, usually that of {@link DecoderBlocks#graph()}
     * @param shape the decoder's extents
     * @param experts the mixture's extents
     */
    public ExpertBlocks(GraphBuilder graph, DecoderShape shape, ExpertShape experts) {
        this.graph = graph;
        this.shape = shape;
        this.experts = experts;
    }

    /**
     * A whole mixture in place of a feed-forward network.
     *
     * @param layer the block's number
     * @param x {@code [TOKENS, HIDDEN]}, after the norm
     * @param mixture what is particular to it
     * @return {@code mlp.<layer>} {@code [TOKENS, HIDDEN]}
     */
    public Value feedForward(int layer, Value x, Mixture mixture) {
        GraphBuilder.Routing routing = route(layer, x, mixture.router());
        Weights weights = weights(layer, mixture.names());
        var middle = new ElementFunction.Glu(mixture.activation());
        if (mixture.shared().isEmpty()) {
            return routed("mlp." + layer, layer, x, routing, weights, middle);
        }
        Value routed = routed("routed." + layer, layer, x, routing, weights, middle);
        Value shared = shared(layer, x, mixture.shared().get(), mixture.activation());
        return graph.sum("mlp." + layer, routed, shared);
    }

    /**
     * Chooses each token's experts.
     *
     * @param layer the block's number
     * @param x {@code [TOKENS, HIDDEN]}, after the norm
     * @param router what chooses
     * @return {@code experts.<layer>} and {@code experts.<layer>.weights} {@code [TOKENS, k]}
     */
    public GraphBuilder.Routing route(int layer, Value x, Router router) {
        String tensor = prefix(layer) + router.tensor();
        Parameter weight = graph.parameter(tensor + ".weight", experts.gates(), shape.hiddenChannels());
        Value logits;
        if (router.bias()) {
            Value unbiased = graph.contract("router." + layer + ".unbiased", x, weight);
            logits = graph.sum("router." + layer, unbiased, graph.parameter(tensor + ".bias", experts.gates()));
        } else {
            logits = graph.contract("router." + layer, x, weight);
        }
        Optional<Parameter> correction = router.correction()
                .map(name -> graph.parameter(prefix(layer) + name, experts.gates()));
        return graph.route("experts." + layer, router.route(), experts.choices(), logits, correction);
    }

    /**
     * Weights that are stored expert by expert, without biases.
     *
     * @param layer the block's number
     * @param names what they are called
     * @return the weights
     */
    public Weights weights(int layer, Names names) {
        return new Weights(stacked(layer, names.gate(), experts.expertColumns(), shape.hiddenChannels()),
                stacked(layer, names.up(), experts.expertColumns(), shape.hiddenChannels()),
                stacked(layer, names.down(), shape.hiddenChannels(), experts.expertColumns()));
    }

    /**
     * Passes each token through the experts that were chosen for it, and sums what they give.
     *
     * @param name of the output
     * @param layer the block's number
     * @param x {@code [TOKENS, HIDDEN]}, after the norm
     * @param routing what {@link #route} gave
     * @param weights the experts' weights
     * @param middle the function of gate and up
     * @return {@code [TOKENS, HIDDEN]}
     */
    public Value routed(String name, int layer, Value x, GraphBuilder.Routing routing, Weights weights, ElementFunction middle) {
        Value pairs = graph.dispatch("pairs." + layer, x, routing, experts.experts());
        Value gate = projected("experts.gate." + layer, pairs, weights.gate());
        Value up = projected("experts.up." + layer, pairs, weights.up());
        Value gated = graph.add(new BuiltinOp.Elementwise(middle), "experts.gated." + layer, gate.dims(), gate, up);
        return graph.combine(name, projected("experts.down." + layer, gated, weights.down()), routing);
    }

    /**
     * Passes every token through the same expert. Its gate is applied before its last projection, which is linear: so ranks that share the
     * columns have partial sums of the gated output, which can be added to those of the routed experts before they are exchanged.
     *
     * @param layer the block's number
     * @param x {@code [TOKENS, HIDDEN]}, after the norm
     * @param expert the expert
     * @param activation the function of its gate
     * @return {@code shared.<layer>} {@code [TOKENS, HIDDEN]}
     */
    public Value shared(int layer, Value x, Shared expert, ElementFunction.Activation activation) {
        String tensors = prefix(layer) + expert.tensors();
        Dim columns = Axes.SHARED_FFN.of(expert.columns());
        Value gate = graph.contract("shared.gate." + layer, x,
                graph.parameter(tensors + "gate_proj.weight", columns, shape.hiddenChannels()));
        Value up = graph.contract("shared.up." + layer, x,
                graph.parameter(tensors + "up_proj.weight", columns, shape.hiddenChannels()));
        Value gated = graph.glu("shared.gated." + layer, gate, up, activation);
        if (expert.gate().isPresent()) {
            Value share = graph.contract("shared.share." + layer, x,
                    graph.parameter(prefix(layer) + expert.gate().get(), ONE, shape.hiddenChannels()));
            var rowGate = new BuiltinOp.Elementwise(new ElementFunction.RowGate());
            gated = graph.add(rowGate, "shared.weighed." + layer, gated.dims(), gated, share);
        }
        return graph.contract("shared." + layer, gated,
                graph.parameter(tensors + "down_proj.weight", shape.hiddenChannels(), columns));
    }

    private Projection stacked(int layer, String name, Dim output, Dim summed) {
        String pattern = prefix(layer) + name + ".weight";
        var view = new TensorView.Stacked(Axes.EXPERTS, experts.experts(), pattern,
                List.of(TensorView.dim(output), TensorView.dim(summed)));
        return new Projection(graph.parameter(pattern, view, experts.routedExperts(), output, summed), Optional.empty());
    }

    private Value projected(String name, Value x, Projection projection) {
        if (projection.bias().isEmpty()) {
            return graph.contract(name, x, projection.weight());
        }
        return graph.sum(name, graph.contract(name + ".unbiased", x, projection.weight()), projection.bias().get());
    }

    private static String prefix(int layer) {
        return "model.layers." + layer + ".";
    }
}
