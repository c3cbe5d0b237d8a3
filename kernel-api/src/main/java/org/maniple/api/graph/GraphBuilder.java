package org.maniple.api.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.tensor.DType;

/**
 * Builds a {@link ModelGraph} operation by operation. Not safe for use by several threads.
 *
 * <p>Names given to values are what observers and listings show; the kernel's oracle tests look for {@code hidden.<i>} (the residual stream
 * before block {@code i}), {@code attn.<i>} and {@code mlp.<i>} (outputs of a block's two halves before the residual is added and
 * before any norm after them), and {@code hidden.norm} (after the last norm).
 */
public final class GraphBuilder {

    /** Candidates that the head keeps of each row: enough for 20 log-probabilities and the common values of top-k. */
    public static final int CANDIDATES = 64;

    private final String architecture;
    private final int layers;
    private final List<Node> nodes = new ArrayList<>();
    private final List<Parameter> parameters = new ArrayList<>();
    private final List<State> states = new ArrayList<>();
    private final Map<Axis, Derivation> derivations = new HashMap<>();
    private final Value ids = new Value(0, "ids", DType.I32, List.of(Dim.TOKENS));
    private int values = 1;
    private int layer = -1;
    private int draftFrom;
    private @Nullable Value draftSource;
    private @Nullable Value draftHidden;

    /**
     * Begins a graph, before its first block.
     *
     * @param architecture the model architecture's name
     * @param layers the number of blocks
     */
    public GraphBuilder(String architecture, int layers) {
        this.architecture = architecture;
        this.layers = layers;
    }

    /**
     * Declares that an axis follows another, for example key-value heads follow query heads.
     *
     * @param axis the derived one
     * @param from the one that rules split
     * @param group units of {@code from} for each unit of {@code axis}
     * @return this
     */
    public GraphBuilder derive(Axis axis, Axis from, int group) {
        derivations.put(axis, new Derivation(axis, from, group));
        return this;
    }

    /**
     * Begins a block; the number of blocks begins what follows the last one.
     *
     * @param index counted from 0
     * @return this
     */
    public GraphBuilder layer(int index) {
        if (index != layer + 1 || index > layers) {
            throw new IllegalArgumentException("block " + index + " after " + layer + " of " + layers);
        }
        layer = index;
        return this;
    }

    /**
     * The token ids of the step.
     *
     * @return {@code [TOKENS]}
     */
    public Value ids() {
        return ids;
    }

    /**
     * Declares a weight.
     *
     * @param name its name in listings
     * @param source where it lies in the checkpoint
     * @param dims in the order in which ranks hold it
     * @return the weight
     */
    public Parameter parameter(String name, TensorView source, Dim... dims) {
        var parameter = new Parameter(parameters.size(), name, List.of(dims), source);
        parameters.add(parameter);
        return parameter;
    }

    /**
     * Declares a weight that is stored as the dimensions say, each dimension of the parameter a stored one.
     *
     * @param tensor its name in the checkpoint, and in listings
     * @param dims in stored order
     * @return the weight
     */
    public Parameter parameter(String tensor, Dim... dims) {
        var stored = new TensorView.StoredDim[dims.length];
        for (int i = 0; i < dims.length; i++) {
            stored[i] = TensorView.dim(dims[i]);
        }
        return parameter(tensor, TensorView.stored(tensor, stored), dims);
    }

    /**
     * Declares what is kept of a sequence.
     *
     * @param name its name in listings
     * @param perPosition its shape per position
     * @return the state
     */
    public State state(String name, Dim... perPosition) {
        var dims = new ArrayList<Dim>();
        dims.add(Dim.SEQS);
        dims.addAll(List.of(perPosition));
        var state = new State(states.size(), name, dims);
        states.add(state);
        return state;
    }

    /**
     * The choices of a router.
     *
     * @param ids {@code [TOKENS, k]}, by ascending id
     * @param weights {@code [TOKENS, k]}
     */
    public record Routing(Value ids, Value weights) {}

    /**
     * Adds an operation with one output.
     *
     * @param op the operation
     * @param name the name of its output
     * @param outputDims the dimensions of its output
     * @param inputs its inputs
     * @return the output
     */
    public Value add(Op op, String name, List<Dim> outputDims, Operand... inputs) {
        int choices = outputDims.stream().anyMatch(d -> d.axis().equals(Axes.EXPERTS)) ? choices(inputs) : 0;
        var output = new Value(values++, name, DType.F32, outputDims, choices);
        nodes.add(new Node(nodes.size(), layer, op, List.of(inputs), List.of(output)));
        return output;
    }

    private static int choices(Operand... inputs) {
        for (Operand input : inputs) {
            if (input instanceof Value value && value.ragged()) {
                return value.choices();
            }
        }
        return 0;
    }

    /**
     * {@link BuiltinOp.Embed}.
     *
     * @param name of the output
     * @param weight {@code [VOCAB, HIDDEN]}
     * @return {@code [TOKENS, HIDDEN]}
     */
    public Value embed(String name, Parameter weight) {
        return add(new BuiltinOp.Embed(), name, List.of(Dim.TOKENS, weight.dims().get(1)), ids, weight);
    }

    /**
     * {@link BuiltinOp.Contract}: the output has the dimensions of {@code x} that {@code weight} lacks, then the dimensions of
     * {@code weight} that {@code x} lacks.
     *
     * @param name of the output
     * @param x {@code [TOKENS, summed…]}
     * @param weight {@code [output…, summed…]}; for a ragged {@code x} EXPERTS comes first, and the output is ragged too
     * @return {@code [TOKENS, output…]}
     */
    public Value contract(String name, Value x, Parameter weight) {
        var dims = new ArrayList<Dim>();
        x.dims().stream().filter(d -> !weight.has(d.axis()) || x.ragged() && d.axis().equals(Axes.EXPERTS)).forEach(dims::add);
        weight.dims().stream().filter(d -> !x.has(d.axis())).forEach(dims::add);
        return add(new BuiltinOp.Contract(), name, dims, x, weight);
    }

    /**
     * A root-mean-square norm: {@link BuiltinOp.SumSquares} and {@link BuiltinOp.Normalize} over the axes of the weight.
     *
     * @param name of the output
     * @param x {@code […, normed…]}
     * @param weight {@code [normed…]}
     * @param epsilon added to the mean
     * @param offset added to the weight
     * @return as {@code x}
     */
    public Value rmsNorm(String name, Value x, Parameter weight, double epsilon, float offset) {
        List<Axis> normed = weight.dims().stream().map(Dim::axis).toList();
        List<Dim> rest = x.dims().stream().filter(d -> !normed.contains(d.axis())).toList();
        Value squares = add(new BuiltinOp.SumSquares(normed), name + ".squares", rest, x);
        return add(new BuiltinOp.Normalize(normed, (float) epsilon, offset), name, x.dims(), x, squares, weight);
    }

    /**
     * {@link ElementFunction.Add}.
     *
     * @param name of the output
     * @param x any value
     * @param y a value or a bias with the last dimensions of {@code x}
     * @return as {@code x}
     */
    public Value sum(String name, Value x, Operand y) {
        return add(new BuiltinOp.Elementwise(new ElementFunction.Add()), name, x.dims(), x, y);
    }

    /**
     * {@link ElementFunction.Scale}.
     *
     * @param name of the output
     * @param x any value
     * @param factor the factor
     * @return as {@code x}
     */
    public Value scale(String name, Value x, float factor) {
        return add(new BuiltinOp.Elementwise(new ElementFunction.Scale(factor)), name, x.dims(), x);
    }

    /**
     * {@link ElementFunction.Glu}.
     *
     * @param name of the output
     * @param gate any value
     * @param up a value with the same dimensions
     * @param activation the function of the gate
     * @return as {@code gate}
     */
    public Value glu(String name, Value gate, Value up, ElementFunction.Activation activation) {
        return add(new BuiltinOp.Elementwise(new ElementFunction.Glu(activation)), name, gate.dims(), gate, up);
    }

    /**
     * {@link BuiltinOp.Rope}.
     *
     * @param name of the output
     * @param x {@code [TOKENS, heads, d]}
     * @param rope the angles
     * @return as {@code x}
     */
    public Value rope(String name, Value x, BuiltinOp.Rope rope) {
        return add(rope, name, x.dims(), x);
    }

    /**
     * {@link BuiltinOp.Cache}.
     *
     * @param x {@code [TOKENS, d…]}
     * @param state {@code [SEQS, d…]}
     */
    public void cache(Value x, State state) {
        nodes.add(new Node(nodes.size(), layer, new BuiltinOp.Cache(), List.of(x, state), List.of()));
    }

    /**
     * {@link BuiltinOp.Attend}.
     *
     * @param name of the output
     * @param queries {@code [TOKENS, HEADS, d]}
     * @param keys {@code [SEQS, KV_HEADS, d]}
     * @param cached {@code [SEQS, KV_HEADS, e]}
     * @param attend scale and window
     * @return {@code [TOKENS, HEADS, e]}
     */
    public Value attend(String name, Value queries, State keys, State cached, BuiltinOp.Attend attend) {
        var dims = List.of(Dim.TOKENS, queries.dims().get(1), cached.dims().getLast());
        return add(attend, name, dims, queries, keys, cached);
    }

    /**
     * {@link BuiltinOp.Attend} with a sink for each head.
     *
     * @param name of the output
     * @param queries {@code [TOKENS, HEADS, d]}
     * @param keys {@code [SEQS, KV_HEADS, d]}
     * @param cached {@code [SEQS, KV_HEADS, e]}
     * @param sinks {@code [HEADS]}
     * @param attend scale and window
     * @return {@code [TOKENS, HEADS, e]}
     */
    public Value attend(String name, Value queries, State keys, State cached, Parameter sinks, BuiltinOp.Attend attend) {
        var dims = List.of(Dim.TOKENS, queries.dims().get(1), cached.dims().getLast());
        return add(attend, name, dims, queries, keys, cached, sinks);
    }

    /**
     * {@link BuiltinOp.AttendLatent}.
     *
     * @param name of the output
     * @param queries {@code [TOKENS, HEADS, n]}
     * @param turnedQueries {@code [TOKENS, HEADS, r]}
     * @param latents {@code [SEQS, l]}
     * @param turnedKeys {@code [SEQS, r]}
     * @param keyMap {@code [HEADS, n, l]}
     * @param valueMap {@code [HEADS, v, l]}
     * @param scale factor on the scores
     * @return {@code [TOKENS, HEADS, v]}
     */
    public Value attendLatent(String name, Value queries, Value turnedQueries, State latents, State turnedKeys, Parameter keyMap,
            Parameter valueMap, double scale) {
        var dims = List.of(Dim.TOKENS, queries.dims().get(1), valueMap.dims().get(1));
        return add(new BuiltinOp.AttendLatent(scale), name, dims, queries, turnedQueries, latents, turnedKeys, keyMap, valueMap);
    }

    /**
     * {@link BuiltinOp.Route}.
     *
     * @param name of the ids; that of the weights has {@code .weights} behind it
     * @param route how experts are chosen
     * @param choices how many
     * @param logits {@code [TOKENS, GATES]}
     * @param bias {@code [GATES]}, if there is one
     * @return ids and weights {@code [TOKENS, k]}
     */
    public Routing route(String name, BuiltinOp.Route route, int choices, Value logits, Optional<Parameter> bias) {
        var dims = List.of(Dim.TOKENS, new Axis("k").of(choices));
        var chosen = new Value(values++, name, DType.I32, dims);
        var weights = new Value(values++, name + ".weights", DType.F32, dims);
        List<Operand> inputs = bias.<List<Operand>>map(b -> List.of(logits, b)).orElse(List.of(logits));
        nodes.add(new Node(nodes.size(), layer, route, inputs, List.of(chosen, weights)));
        return new Routing(chosen, weights);
    }

    /**
     * {@link BuiltinOp.Dispatch}.
     *
     * @param name of the output
     * @param x {@code [TOKENS, d…]}
     * @param routing what {@link #route} gave
     * @param experts how many routed experts there are
     * @return {@code [TOKENS, EXPERTS, d…]}, ragged
     */
    public Value dispatch(String name, Value x, Routing routing, int experts) {
        var dims = new ArrayList<>(x.dims());
        dims.add(1, Axes.EXPERTS.of(experts));
        var pairs = new Value(values++, name, DType.F32, dims, routing.ids().dims().getLast().extent());
        nodes.add(new Node(nodes.size(), layer, new BuiltinOp.Dispatch(), List.of(x, routing.ids(), routing.weights()),
                List.of(pairs)));
        return pairs;
    }

    /**
     * {@link BuiltinOp.Combine}.
     *
     * @param name of the output
     * @param pairs {@code [TOKENS, EXPERTS, d…]}, ragged
     * @param routing what {@link #route} gave
     * @return {@code [TOKENS, d…]}
     */
    public Value combine(String name, Value pairs, Routing routing) {
        var dims = new ArrayList<>(pairs.dims());
        dims.remove(1);
        var output = new Value(values++, name, DType.F32, dims);
        nodes.add(new Node(nodes.size(), layer, new BuiltinOp.Combine(), List.of(pairs, routing.ids(), routing.weights()),
                List.of(output)));
        return output;
    }

    /**
     * Ends the graph with the head: {@link BuiltinOp.Select}, the logits, and {@link BuiltinOp.TopK}.
     *
     * @param x the residual stream after its last norm {@code [TOKENS, HIDDEN]}
     * @param head {@code [VOCAB, HIDDEN]}
     * @param contextLength positions that the model was made for
     * @return the graph
     */
    public ModelGraph head(Value x, Parameter head, int contextLength) {
        var dims = new ArrayList<>(x.dims());
        dims.set(0, Dim.ROWS);
        Value selected = add(new BuiltinOp.Select(), "selected", dims, x);
        return finish(contract("logits", selected, head), contextLength);
    }

    /**
     * Ends the graph with logits that were computed in another way than {@link #head} does.
     *
     * @param logits {@code [ROWS, VOCAB]}
     * @param contextLength positions that the model was made for
     * @return the graph
     */
    public ModelGraph finish(Value logits, int contextLength) {
        if (layer != layers) {
            throw new IllegalStateException("the graph ends in block " + layer + " of " + layers);
        }
        int vocabulary = logits.extent(Axes.VOCAB);
        var topK = new BuiltinOp.TopK(Math.min(CANDIDATES, vocabulary));
        Value candidates = add(topK, "candidates", List.of(Dim.ROWS, new Axis("top").of(topK.width())), logits);
        return new ModelGraph(architecture, layers, nodes, parameters, states, derivations, ids, logits, candidates, vocabulary,
                contextLength);
    }

    /**
     * Begins the part that guesses further tokens, behind the head. {@link #ids} are the tokens after those whose rows it goes on from.
     *
     * @param source what of a position it goes on from {@code [TOKENS, d]}
     * @param channels the axis under which it reads that, with the extent of {@code d}: not the residual stream's own, since a projection from
     *     one to the other has both
     * @return {@code [TOKENS, channels]}
     */
    public Value draft(Value source, Dim channels) {
        if (layer != layers || source.dims().size() != 2 || source.dims().getLast().extent() != channels.extent()) {
            throw new IllegalStateException("a part that guesses from " + source + " " + source.dims() + " as " + channels
                    + " in block " + layer + " of " + layers);
        }
        draftFrom = nodes.size();
        draftSource = source;
        var hidden = new Value(values++, "draft.hidden", DType.F32, List.of(Dim.TOKENS, channels));
        draftHidden = hidden;
        return hidden;
    }

    /**
     * Ends the part that guesses further tokens, as {@link #head} ends the graph before it.
     *
     * @param main the graph that {@link #head} or {@link #finish} gave
     * @param x the residual stream after its last norm {@code [TOKENS, HIDDEN]}
     * @param head {@code [VOCAB, HIDDEN]}
     * @return the graph with this part
     */
    public ModelGraph finishDraft(ModelGraph main, Value x, Parameter head) {
        if (draftSource == null || draftHidden == null) {
            throw new IllegalStateException("no part that guesses has been begun");
        }
        var dims = new ArrayList<>(x.dims());
        dims.set(0, Dim.ROWS);
        Value logits = contract("draft.logits", add(new BuiltinOp.Select(), "draft.selected", dims, x), head);
        Value guesses = add(new BuiltinOp.TopK((main.candidates().dims().getLast().extent() - 2) / 2), "draft.candidates",
                main.candidates().dims(), logits);
        return new ModelGraph(architecture, layers, nodes, parameters, states, derivations, ids, main.logits(),
                main.candidates(), main.vocabulary(), main.contextLength(),
                Optional.of(new ModelGraph.Draft(draftFrom, draftSource, draftHidden, guesses)));
    }
}
