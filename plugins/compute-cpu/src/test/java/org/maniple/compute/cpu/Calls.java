package org.maniple.compute.cpu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Op;
import org.maniple.api.graph.OpCall;
import org.maniple.api.graph.Operand;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.State;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.Value;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

/** Operations bound to tensors, as the executor would bind them on a rank that has everything. */
final class Calls {

    static final Axis ELEMENT = new Axis("ELEMENT");

    private Calls() {}

    static Kernel compile(ComputeSession session, OpCall call) {
        return session.compile(new ComputeSession.Region(List.of(call), List.of(true)), 0).orElseThrow().kernel();
    }

    static OpCall embed(Tensor ids, Tensor weight, Tensor out, int vocabulary, UnitList own) {
        Dim vocab = Axes.VOCAB.of(vocabulary);
        Dim hidden = Axes.HIDDEN.of(weight.extent(1));
        return call(new BuiltinOp.Embed(), List.of(value(DType.I32, Dim.TOKENS), parameter(vocab, hidden)), List.of(ids, weight),
                List.of(value(Dim.TOKENS, hidden)), List.of(out), Map.of(Axes.VOCAB, own));
    }

    static OpCall contract(Tensor x, Tensor weight, Tensor out) {
        Dim summed = Axes.HIDDEN.of(x.extent(1));
        Dim made = Axes.FFN.of(out.extent(1));
        return call(new BuiltinOp.Contract(), List.of(value(Dim.TOKENS, summed), parameter(made, summed)), List.of(x, weight),
                List.of(value(Dim.TOKENS, made)), List.of(out), Map.of());
    }

    /** The same call with the leaves of its sums. */
    static OpCall leaves(OpCall call, Integer... ends) {
        return new OpCall(call.node(), call.inputs(), call.outputs(), call.units(), List.of(ends));
    }

    /** Of the rows of experts, each with the expert's matrix {@code [slots, out, in]}. */
    static OpCall expertContract(Tensor x, Tensor weight, Tensor out) {
        Dim experts = Axes.EXPERTS.of(weight.extent(0));
        Dim summed = Axes.HIDDEN.of(x.extent(1));
        Dim made = Axes.FFN.of(out.extent(1));
        return call(new BuiltinOp.Contract(), List.of(ragged(Dim.TOKENS, experts, summed), parameter(experts, made, summed)),
                List.of(x, weight), List.of(ragged(Dim.TOKENS, experts, made)), List.of(out), Map.of());
    }

    static Value ragged(Dim... dims) {
        return new Value(1, "pairs", DType.F32, List.of(dims), 1);
    }

    static OpCall sumSquares(Tensor x, Tensor out) {
        boolean heads = x.rank() == 3;
        var dims = heads
                ? new Dim[] {Dim.TOKENS, Axes.HEADS.of(x.extent(1)), ELEMENT.of(x.extent(2))}
                : new Dim[] {Dim.TOKENS, ELEMENT.of(x.extent(1))};
        var outDims = heads ? new Dim[] {Dim.TOKENS, Axes.HEADS.of(x.extent(1))} : new Dim[] {Dim.TOKENS};
        return call(new BuiltinOp.SumSquares(List.of(ELEMENT)), List.of(value(dims)), List.of(x), List.of(value(outDims)),
                List.of(out),
                Map.of());
    }

    static OpCall normalize(Tensor x, Tensor squares, Tensor weight, Tensor out, float epsilon, float offset) {
        boolean heads = x.rank() == 3;
        Dim normed = ELEMENT.of(x.extent(x.rank() - 1));
        var dims = heads ? new Dim[] {Dim.TOKENS, Axes.HEADS.of(x.extent(1)), normed} : new Dim[] {Dim.TOKENS, normed};
        var sums = heads ? new Dim[] {Dim.TOKENS, Axes.HEADS.of(x.extent(1))} : new Dim[] {Dim.TOKENS};
        return call(new BuiltinOp.Normalize(List.of(ELEMENT), epsilon, offset),
                List.of(value(dims), value(sums), parameter(normed)),
                List.of(x, squares, weight), List.of(value(dims)), List.of(out), Map.of());
    }

    static OpCall elementwise(ElementFunction function, Tensor x, Tensor out) {
        Dim[] dims = {Dim.TOKENS, Axes.FFN.of(x.extent(1))};
        return call(new BuiltinOp.Elementwise(function), List.of(value(dims)), List.of(x), List.of(value(dims)), List.of(out),
                Map.of());
    }

    /** With a second operand: of the same rows, or with one dimension only, which is repeated for every row. */
    static OpCall elementwise(ElementFunction function, Tensor x, Tensor y, Tensor out) {
        Dim[] dims = {Dim.TOKENS, Axes.FFN.of(x.extent(1))};
        Operand second = y.rank() == 1 ? parameter(dims[1]) : value(dims);
        return call(new BuiltinOp.Elementwise(function), List.of(value(dims), second), List.of(x, y), List.of(value(dims)),
                List.of(out),
                Map.of());
    }

    /** Of the rows of experts, with what the rows of an expert have in common {@code [slots, d]}. */
    static OpCall expertMap(ElementFunction function, Tensor x, Tensor common, Tensor out) {
        Dim experts = Axes.EXPERTS.of(common.extent(0));
        Dim made = Axes.FFN.of(x.extent(1));
        return call(new BuiltinOp.Elementwise(function), List.of(ragged(Dim.TOKENS, experts, made), parameter(experts, made)),
                List.of(x, common), List.of(ragged(Dim.TOKENS, experts, made)), List.of(out), Map.of());
    }

    /** Each row times the sigmoid of its gate. */
    static OpCall rowGate(Tensor x, Tensor gates, Tensor out) {
        Dim[] dims = {Dim.TOKENS, Axes.HIDDEN.of(x.extent(1))};
        return call(new BuiltinOp.Elementwise(new ElementFunction.RowGate()),
                List.of(value(dims), value(Dim.TOKENS, new Axis("GATE").of(1))), List.of(x, gates), List.of(value(dims)),
                List.of(out),
                Map.of());
    }

    /** Latent attention of all heads. */
    static OpCall attendLatent(double scale, Tensor queries, Tensor turnedQueries, Tensor latents, Tensor turnedKeys,
            Tensor keyMap,
            Tensor valueMap, Tensor out) {
        Dim heads = Axes.HEADS.of(queries.extent(1));
        Dim plain = ELEMENT.of(queries.extent(2));
        Dim turned = new Axis("TURNED").of(turnedQueries.extent(2));
        Dim latent = new Axis("LATENT").of(latents.extent(1));
        Dim made = new Axis("VALUE_ELEMENT").of(out.extent(2));
        List<Operand> inputs = List.of(value(Dim.TOKENS, heads, plain), value(Dim.TOKENS, heads, turned),
                new State(1, "latents", List.of(Dim.SEQS, latent)), new State(2, "turned", List.of(Dim.SEQS, turned)),
                parameter(heads, plain, latent), parameter(heads, made, latent));
        return call(new BuiltinOp.AttendLatent(scale), inputs,
                List.of(queries, turnedQueries, latents, turnedKeys, keyMap, valueMap), List.of(value(Dim.TOKENS, heads, made)),
                List.of(out), Map.of());
    }

    /** A choice of experts; without a bias if it is empty. */
    static OpCall route(BuiltinOp.Route op, Tensor logits, Optional<Tensor> bias, Tensor ids, Tensor weights) {
        Dim gates = Axes.GATES.of(logits.extent(1));
        Dim chosen = new Axis("CHOSEN").of(ids.extent(1));
        var inputs = new ArrayList<Operand>(List.of(value(Dim.TOKENS, gates)));
        var tensors = new ArrayList<>(List.of(logits));
        bias.ifPresent(tensor -> {
            inputs.add(parameter(gates));
            tensors.add(tensor);
        });
        return call(op, inputs, tensors, List.of(value(DType.I32, Dim.TOKENS, chosen), value(Dim.TOKENS, chosen)),
                List.of(ids, weights), Map.of());
    }

    static OpCall combine(Tensor pairs, Tensor weights, Tensor out) {
        Dim hidden = Axes.HIDDEN.of(out.extent(1));
        Dim chosen = new Axis("CHOSEN").of(weights.extent(1));
        Tensor ids = Tensors.ids(new int[weights.extent(0) * weights.extent(1)]);
        return call(new BuiltinOp.Combine(),
                List.of(ragged(Dim.TOKENS, Axes.EXPERTS.of(pairs.pairs().slots()), hidden), value(DType.I32, Dim.TOKENS, chosen),
                        value(Dim.TOKENS, chosen)),
                List.of(pairs, ids, weights), List.of(value(Dim.TOKENS, hidden)), List.of(out), Map.of());
    }

    static OpCall rope(BuiltinOp.Rope op, Tensor x, Tensor out) {
        Dim[] dims = {Dim.TOKENS, Axes.HEADS.of(Math.max(1, x.extent(1))), ELEMENT.of(x.extent(2))};
        return call(op, List.of(value(dims)), List.of(x), List.of(value(dims)), List.of(out), Map.of());
    }

    static OpCall cache(Tensor x, Tensor state) {
        Dim[] dims = {Axes.KV_HEADS.of(x.extent(1)), ELEMENT.of(x.extent(2))};
        return call(new BuiltinOp.Cache(),
                List.of(value(Dim.TOKENS, dims[0], dims[1]), new State(1, "state", List.of(Dim.SEQS, dims[0],
                        dims[1]))),
                List.of(x, state), List.of(), List.of(), Map.of());
    }

    /** Attention of some of the query heads of a model over some of its key-value heads. */
    static OpCall attend(BuiltinOp.Attend op, Tensor queries, Tensor keys, Tensor values, Tensor out, int heads, int kvHeads,
            UnitList own, UnitList held) {
        return attend(op, queries, keys, values, Optional.empty(), out, heads, kvHeads, own, held);
    }

    /** The same with a sink for each head. */
    static OpCall attend(BuiltinOp.Attend op, Tensor queries, Tensor keys, Tensor values, Optional<Tensor> sinks, Tensor out,
            int heads,
            int kvHeads, UnitList own, UnitList held) {
        var valueElement = new Axis("VALUE_ELEMENT");
        Dim head = Axes.HEADS.of(heads);
        Dim kvHead = Axes.KV_HEADS.of(kvHeads);
        var inputs = new ArrayList<Operand>(List.of(value(Dim.TOKENS, head, ELEMENT.of(queries.extent(2))),
                new State(1, "keys", List.of(Dim.SEQS, kvHead, ELEMENT.of(keys.extent(2)))),
                new State(2, "values", List.of(Dim.SEQS, kvHead, valueElement.of(values.extent(2))))));
        var tensors = new ArrayList<>(List.of(queries, keys, values));
        sinks.ifPresent(tensor -> {
            inputs.add(parameter(head));
            tensors.add(tensor);
        });
        return call(op, inputs, tensors, List.of(value(Dim.TOKENS, head, valueElement.of(out.extent(2)))),
                List.of(out), Map.of(Axes.HEADS, own, Axes.KV_HEADS, held));
    }

    static OpCall select(Tensor x, Tensor out) {
        Dim dim = Axes.HIDDEN.of(x.extent(1));
        return call(new BuiltinOp.Select(), List.of(value(Dim.TOKENS, dim)), List.of(x), List.of(value(Dim.ROWS, dim)),
                List.of(out),
                Map.of());
    }

    static OpCall topK(int k, Tensor logits, Tensor out, int vocabulary, UnitList own) {
        Dim vocab = Axes.VOCAB.of(vocabulary);
        return call(new BuiltinOp.TopK(k), List.of(value(Dim.ROWS, vocab)), List.of(logits),
                List.of(value(Dim.ROWS, new Axis("TOP").of(2 * k + 2))), List.of(out), Map.of(Axes.VOCAB, own));
    }

    static OpCall call(Op op, List<Operand> inputs, List<Tensor> inputTensors, List<Value> outputs, List<Tensor> outputTensors,
            Map<Axis, UnitList> units) {
        var all = new HashMap<Axis, UnitList>();
        var operands = new ArrayList<Operand>(inputs);
        operands.addAll(outputs);
        for (Operand operand : operands) {
            for (Dim dim : operand.dims()) {
                if (dim.extent() > 0) {
                    all.put(dim.axis(), UnitList.range(0, dim.extent()));
                }
            }
        }
        all.putAll(units);
        return new OpCall(new Node(0, 0, op, inputs, outputs), inputTensors, outputTensors, all);
    }

    static Value value(Dim... dims) {
        return value(DType.F32, dims);
    }

    static Value value(DType type, Dim... dims) {
        return new Value(1, "value", type, List.of(dims));
    }

    static Parameter parameter(Dim... dims) {
        return new Parameter(1, "weight", List.of(dims), TensorView.stored("weight", TensorView.dim(dims)));
    }
}
