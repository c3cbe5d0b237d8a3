package org.maniple.compute.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.maniple.api.compute.ComputeSession.Region;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.Tensor;

/**
 * Finds operations of a region that one pass computes: the two halves of a norm; contractions of the same input, also if operations
 * that do not make that input lie between them; gate, up and their product. What is fused computes each element as the single
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
        if (!(calls.get(from).op() instanceof BuiltinOp.Contract)) {
            return withoutContractions(calls, from);
        }
        return shared.matrix(calls.get(from)).map(first -> gated(calls, from, first).orElseGet(() -> joint(calls, from, first)));
    }

    private Optional<Fused> withoutContractions(List<OpCall> calls, int from) {
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

    private Optional<Fused> gated(List<OpCall> calls, int from, Matrix gate) {
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
                        product.output(0), shared.input(List.of(gate, up))), 3));
    }

    private static boolean joins(ElementFunction function) {
        return function instanceof ElementFunction.Glu || function instanceof ElementFunction.ClampedGlu;
    }

    /** All contractions of the input that can be reached, and after them what lies between them. */
    private Fused joint(List<OpCall> calls, int from, Matrix first) {
        var matrices = new ArrayList<>(List.of(first));
        var between = new ArrayList<Kernel>();
        var pending = new ArrayList<Kernel>();
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
                continue;
            }
            Optional<Fused> next = call.op() instanceof BuiltinOp.Contract ? Optional.empty() : withoutContractions(calls, at);
            if (next.isEmpty()) {
                break;
            }
            pending.add(next.get().kernel());
            at += next.get().covers();
        }
        Kernel contract = new ContractKernel(shared.workers(), shared.scratch(), matrices, shared.input(matrices));
        if (between.isEmpty()) {
            return new Fused(contract, covers);
        }
        between.addFirst(contract);
        return new Fused(new KernelSequence(between), covers);
    }

    private static boolean makes(OpCall call, Tensor tensor) {
        return call.outputs().contains(tensor);
    }
}
