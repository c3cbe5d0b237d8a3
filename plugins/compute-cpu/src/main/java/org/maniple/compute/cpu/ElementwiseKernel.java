package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.OpCall;
import org.maniple.api.graph.Operand;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/** A function of each element, and of an element of a second operand, which is repeated if it lacks leading dimensions. */
final class ElementwiseKernel implements RowWise, Workers.Task {

    private static final int CHUNK = 4096;

    private final Workers workers;
    private final ElementRange range;
    private final Tensor x;
    private final Tensor out;
    private final Widened second;
    /** Elements after which the second operand repeats; 0: it does not. */
    private final int period;

    private ElementwiseKernel(Shared shared, ElementFunction function, Tensor x, Tensor out, Widened second, int period) {
        this.workers = shared.workers();
        this.range = new ElementRange(function, shared);
        this.x = x;
        this.out = out;
        this.second = second;
        this.period = period;
    }

    static Optional<Kernel> of(Shared shared, OpCall call, BuiltinOp.Elementwise op) {
        Tensor x = call.input(0);
        if (x.dtype() != DType.F32) {
            return Optional.empty();
        }
        if (op.function() instanceof ElementFunction.RowGate) {
            return RowGateKernel.of(shared.workers(), call);
        }
        boolean two = call.inputs().size() > 1;
        Tensor y = two ? call.input(1) : x;
        Operand operand = call.node().inputs().get(two ? 1 : 0);
        boolean perRow = operand.has(Axes.TOKENS) || operand.has(Axes.ROWS);
        if (!perRow && operand.has(Axes.EXPERTS)) {
            return ExpertMapKernel.of(shared, call, op.function());
        }
        if (perRow && (y.dtype() != DType.F32 || y.width() != x.width() || x.ragged() != y.ragged())) {
            return Optional.empty();
        }
        return Widened.of(y, 0).map(second -> new ElementwiseKernel(shared, op.function(), x, call.output(0), second,
                perRow ? 0 : second.count()));
    }

    @Override
    public void run(Step step) {
        long elements = (long) out.rows() * out.width();
        if (elements == 0) {
            return;
        }
        begin(step);
        workers.run(this, Math.toIntExact(Math.ceilDiv(elements, CHUNK)), elements >= 2 * CHUNK);
    }

    @Override
    public int rows() {
        return out.rows();
    }

    @Override
    public int width() {
        return out.width();
    }

    @Override
    public void begin(Step step) {
        second.segment();
    }

    @Override
    public void compute(int chunk, int thread) {
        long elements = (long) out.rows() * out.width();
        long at = (long) chunk * CHUNK;
        compute(at, Math.min(elements, at + CHUNK), thread);
    }

    @Override
    public void compute(int from, int to, int thread) {
        compute((long) from * out.width(), (long) to * out.width(), thread);
    }

    private void compute(long from, long to, int thread) {
        MemorySegment y = second.segment();
        for (long at = from; at < to;) {
            long other = period == 0 ? at : at % period;
            int count = (int) (period == 0 ? to - at : Math.min(to - at, period - other));
            range.apply(x.segment(), 4 * at, y, 4 * other, out.segment(), 4 * at, count, thread);
            at += count;
        }
    }
}
