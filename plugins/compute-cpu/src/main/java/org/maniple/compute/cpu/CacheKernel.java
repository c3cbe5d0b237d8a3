package org.maniple.compute.cpu;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.CachedRows;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/** Stores rows at the slots of their positions, rounded to what the state holds. */
final class CacheKernel implements RowWise {

    /** Stores rows, unless Java does. */
    private final @Nullable NativeRows functions;
    private final Tensor x;
    private final Tensor state;
    private final CachedState cached;
    /** The step that is being computed; set before the threads begin. */
    private @Nullable Step current;

    private CacheKernel(@Nullable NativeRows functions, Tensor x, Tensor state, CachedState cached) {
        this.functions = functions;
        this.x = x;
        this.state = state;
        this.cached = cached;
    }

    static Optional<CacheKernel> of(Shared shared, OpCall call) {
        Tensor x = call.input(0);
        Tensor state = call.input(1);
        return x.dtype() == DType.F32
                ? CachedState.of(state).map(cached -> new CacheKernel(shared.stores(cached.form()), x, state, cached))
                : Optional.empty();
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
        long bytes = 4L * x.width();
        for (int row = from; row < to; row++) {
            long slot = step.slot(step.spanOf(row), step.position(row));
            if (functions == null || cached.form() == CacheForm.F32) {
                CachedRows.store(state, slot, x.segment(), row * bytes);
            } else {
                functions.store(x.segment(), row * bytes, cached, slot);
            }
        }
    }
}
