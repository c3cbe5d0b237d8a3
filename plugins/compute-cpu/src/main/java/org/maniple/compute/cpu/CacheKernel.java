package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;

/** Stores rows at the slots of their positions. */
final class CacheKernel implements RowWise {

    private final Tensor x;
    private final Tensor state;
    private final long bytes;
    /** The step that is being computed; set before the threads begin. */
    private @Nullable Step current;

    private CacheKernel(Tensor x, Tensor state) {
        this.x = x;
        this.state = state;
        this.bytes = (long) x.width() * x.dtype().bytes();
    }

    static Optional<CacheKernel> of(OpCall call) {
        Tensor x = call.input(0);
        Tensor state = call.input(1);
        return x.dtype() == state.dtype() ? Optional.of(new CacheKernel(x, state)) : Optional.empty();
    }

    @Override
    public int rows() {
        return x.rows();
    }

    @Override
    public int width() {
        return x.width();
    }

    @Override
    public void run(Step step) {
        begin(step);
        compute(0, x.rows(), 0);
    }

    @Override
    public void begin(Step step) {
        current = step;
    }

    @Override
    public void compute(int from, int to, int thread) {
        Step step = Objects.requireNonNull(current);
        for (int row = from; row < to; row++) {
            long slot = step.slot(step.spanOf(row), step.position(row));
            MemorySegment.copy(x.segment(), row * bytes, state.segment(), slot * bytes, bytes);
        }
    }
}
