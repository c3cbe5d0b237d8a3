package org.maniple.compute.cpu;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.maniple.api.compute.ComputeSession.Region;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.OpCall;
import org.maniple.api.graph.Operand;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/**
 * Finds operations of a region that one pass computes: the two halves of a norm; contractions of the same input, also if operations
 * that do not make that input lie between them; a contraction and what is added to it; gate, up and their product; what works row by row
 * on the same rows, also before a contraction of what it makes. What is fused computes each element as the single
 * operations do and writes all their outputs, so that bits do not depend on it, nor on who observes. It saves waiting for the other
 * threads.
 */
final class Fusion {

    /** A kernel and the number of operations it computes. */
    record Fused(Kernel kernel, int covers) {}

    private final SingleKernels singles;
    private final Shared shared;

    Fusion(SingleKernels singles, Shared shared) {
        this.singles = singles;
        this.shared = shared;
    }

    Optional<Fused> compile(Region region, int from) {
        List<OpCall> calls = region.calls();
        var rows = new ArrayList<RowWise>();
        int at = rowWise(calls, from, tensors(), rows);
        if (at < calls.size() && calls.get(at).op() instanceof BuiltinOp.Contract && makesInput(calls, from, at)) {
            int before = at - from;
            Optional<Fused> contracted = contracted(calls, at, together(rows));
            if (contracted.isPresent()) {
                return contracted.map(fused -> new Fused(fused.kernel(), before + fused.covers()));
            }
        }
        return rows.isEmpty() ? single(calls, from) : Optional.of(new Fused(Objects.requireNonNull(together(rows)), at - from));
    }

    /** Whether the last of some operations makes the input of a contraction, or there is none of them. */
    private static boolean makesInput(List<OpCall> calls, int from, int contraction) {
        return contraction == from || makes(calls.get(contraction - 1), calls.get(contraction).input(0));
    }

    private Optional<Fused> contracted(List<OpCall> calls, int from, @Nullable RowWise before) {
        return shared.matrix(calls.get(from)).map(first -> gated(calls, from, first, before)
                .or(() -> added(calls, from, first, before)).orElseGet(() -> joint(calls, from, first, before)));
    }

    /**
     * Finds operations that work row by row on rows that belong together.
     *
     * @param known what the rows of which may be read; what is found adds what it makes; empty: whatever the first operation reads
     * @param found receives the kernels
     * @return the first operation that is not among them
     */
    private int rowWise(List<OpCall> calls, int from, Set<Tensor> known, List<RowWise> found) {
        int at = from;
        while (at < calls.size()) {
            OpCall call = calls.get(at);
            boolean joins = known.isEmpty() || call.inputs().stream().anyMatch(known::contains);
            boolean ragged = call.inputs().stream().anyMatch(Tensor::ragged) || call.outputs().stream().anyMatch(Tensor::ragged);
            Optional<Fused> next = joins && !ragged && !(call.op() instanceof BuiltinOp.Contract) ? single(calls, at) : Optional.empty();
            if (next.isEmpty() || !(next.get().kernel() instanceof RowWise kernel)) {
                return at;
            }
            found.add(kernel);
            known.add(call.input(0));
            for (int i = at; i < at + next.get().covers(); i++) {
                known.addAll(calls.get(i).outputs());
            }
            at += next.get().covers();
        }
        return at;
    }

    /** Of the same tensors, not of equal ones. */
    private static Set<Tensor> tensors() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    private @Nullable RowWise together(List<RowWise> kernels) {
        return kernels.isEmpty() ? null : kernels.size() == 1 ? kernels.getFirst() : new RowSequence(shared.workers(), kernels);
    }

    /** The halves of a norm, or one operation. */
    private Optional<Fused> single(List<OpCall> calls, int from) {
        return norm(calls, from).or(() -> singles.compile(calls.get(from)).map(kernel -> new Fused(kernel, 1)));
    }

    private Optional<Fused> norm(List<OpCall> calls, int from) {
        if (from + 1 >= calls.size()) {
            return Optional.empty();
        }
        OpCall sum = calls.get(from);
        OpCall scale = calls.get(from + 1);
        boolean halves = sum.op() instanceof BuiltinOp.SumSquares && scale.op() instanceof BuiltinOp.Normalize
                && scale.input(0) == sum.input(0) && scale.input(1) == sum.output(0);
        return halves && scale.op() instanceof BuiltinOp.Normalize op
                ? NormKernel.normalize(shared, scale, op, Optional.of(sum)).map(kernel -> new Fused(kernel, 2))
                : Optional.empty();
    }

    private Optional<Fused> gated(List<OpCall> calls, int from, Matrix gate, @Nullable RowWise before) {
        if (from + 2 >= calls.size() || !(calls.get(from + 1).op() instanceof BuiltinOp.Contract)
                || calls.get(from + 1).input(0) != gate.x()) {
            return Optional.empty();
        }
        OpCall product = calls.get(from + 2);
        boolean reads = product.op() instanceof BuiltinOp.Elementwise map && joins(map.function())
                && product.input(0) == gate.out() && product.input(1) == calls.get(from + 1).output(0);
        if (!reads) {
            return Optional.empty();
        }
        ElementFunction glu = ((BuiltinOp.Elementwise) product.op()).function();
        return shared.matrix(calls.get(from + 1)).filter(up -> up.columns() == gate.columns())
                .map(up -> new Fused(new GatedKernel(shared.workers(), shared.scratch(), gate, up, new ElementRange(glu, shared),
                        product.output(0), shared.input(List.of(gate, up), before)), 3));
    }

    private static boolean joins(ElementFunction function) {
        return function instanceof ElementFunction.Glu || function instanceof ElementFunction.ClampedGlu;
    }

    /** A contraction, and what is added to each element of it, such as what goes past a part of a block. */
    private Optional<Fused> added(List<OpCall> calls, int from, Matrix first, @Nullable RowWise before) {
        if (from + 1 >= calls.size() || first.x().ragged()) {
            return Optional.empty();
        }
        OpCall sum = calls.get(from + 1);
        if (!(sum.op() instanceof BuiltinOp.Elementwise map && map.function() instanceof ElementFunction.Add)) {
            return Optional.empty();
        }
        Tensor a = sum.input(0);
        Tensor b = sum.input(1);
        boolean reads = a == first.out() || b == first.out();
        Operand second = sum.node().inputs().get(1);
        boolean perRow = second.has(Axes.TOKENS) || second.has(Axes.ROWS);
        boolean floats = a.dtype() == DType.F32 && b.dtype() == DType.F32 && a.width() == b.width() && !a.ragged() && !b.ragged();
        if (!reads || !perRow || !floats) {
            return Optional.empty();
        }
        List<Matrix> matrix = List.of(first);
        return Optional.of(new Fused(new ContractKernel(shared.workers(), shared.scratch(), matrix, shared.input(matrix, before),
                new ContractKernel.Added(new ElementRange(map.function(), shared), a, b, sum.output(0))), 2));
    }

    /** All contractions of the input that can be reached, and after them what lies between them and what goes on with their rows. */
    private Fused joint(List<OpCall> calls, int from, Matrix first, @Nullable RowWise before) {
        var matrices = new ArrayList<>(List.of(first));
        var between = new ArrayList<Kernel>();
        var pending = new ArrayList<Kernel>();
        Set<Tensor> known = tensors();
        known.addAll(calls.get(from).outputs());
        int covers = 1;
        int at = from + 1;
        while (at < calls.size() && !makes(calls.get(at), first.x())) {
            OpCall call = calls.get(at);
            boolean same = call.op() instanceof BuiltinOp.Contract && call.input(0) == first.x();
            Optional<Matrix> other = same ? shared.matrix(call) : Optional.empty();
            if (other.isPresent()) {
                matrices.add(other.get());
                between.addAll(pending);
                pending.clear();
                at++;
                covers = at - from;
            } else {
                Optional<Fused> next = call.op() instanceof BuiltinOp.Contract ? Optional.empty() : single(calls, at);
                if (next.isEmpty()) {
                    break;
                }
                pending.add(next.get().kernel());
                at += next.get().covers();
            }
            calls.subList(from, at).forEach(done -> known.addAll(done.outputs()));
        }
        var rows = new ArrayList<RowWise>();
        int end = rowWise(calls, from + covers, known, rows);
        if (!rows.isEmpty() && !(end < calls.size() && calls.get(end).op() instanceof BuiltinOp.Contract)) {
            between.addAll(rows);
            covers = end - from;
        }
        Kernel contract = new ContractKernel(shared.workers(), shared.scratch(), matrices, shared.input(matrices, before));
        if (between.isEmpty()) {
            return new Fused(contract, covers);
        }
        return new Fused(new KernelSequence(inPasses(contract, between)), covers);
    }

    /** A contraction and what follows it, with one pass for what follows each other row by row. */
    private List<Kernel> inPasses(Kernel contract, List<Kernel> others) {
        var all = new ArrayList<>(List.of(contract));
        var rows = new ArrayList<RowWise>();
        for (Kernel kernel : others) {
            if (kernel instanceof RowWise next) {
                rows.add(next);
                continue;
            }
            Optional.ofNullable(together(rows)).ifPresent(all::add);
            rows.clear();
            all.add(kernel);
        }
        Optional.ofNullable(together(rows)).ifPresent(all::add);
        return all;
    }

    private static boolean makes(OpCall call, Tensor tensor) {
        return call.outputs().contains(tensor);
    }
}
