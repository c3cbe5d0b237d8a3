package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/**
 * A function of each element of the rows of experts and of an element that the rows of an expert have in common, such as a bias. Threads
 * take experts.
 */
final class ExpertMapKernel implements Kernel, Workers.Task {

    private final Workers workers;
    private final ElementRange range;
    private final Tensor x;
    private final WeightMatrix common;
    private final Scratch[] scratch;
    private final Tensor out;
    private final SlotRuns runs;
    /** For each thread an expert's elements as floats. */
    private final MemorySegment[] floats;

    private ExpertMapKernel(Shared shared, ElementFunction function, OpCall call, WeightMatrix common) {
        this.workers = shared.workers();
        this.scratch = shared.scratch();
        this.range = new ElementRange(function, shared);
        this.x = call.input(0);
        this.common = common;
        this.out = call.output(0);
        this.runs = new SlotRuns(x);
        this.floats = new MemorySegment[workers.threads()];
        for (int i = 0; i < floats.length; i++) {
            common.reserve(scratch[i]);
            floats[i] = Arena.ofAuto().allocate(Math.max(4L, 4L * x.width()), 64);
        }
    }

    static Optional<Kernel> of(Shared shared, OpCall call, ElementFunction function) {
        Tensor x = call.input(0);
        Tensor common = call.input(1);
        if (x.dtype() != DType.F32 || !x.ragged() || common.scales().isPresent()) {
            return Optional.empty();
        }
        if (common.width() != x.width() || common.extent(0) != x.pairs().slots()) {
            throw new IllegalArgumentException(
                    call.node() + ": " + common + " for " + x + " with " + x.pairs().slots() + " slots");
        }
        return WeightMatrix.of(shared.products(), common, 1, new int[] {x.width()}, ActivationForm.F32)
                .map(rows -> new ExpertMapKernel(shared, function, call, rows));
    }

    @Override
    public void run(Step step) {
        workers.run(this, runs.refresh(), (long) runs.rows() * x.width() >= ContractKernel.WORTH_WAKING);
    }

    @Override
    public void compute(int run, int thread) {
        int width = x.width();
        int slot = runs.slot(run);
        common.widen(slot, 0, floats[thread], 0, scratch[thread]);
        for (int row = runs.from(run); row < runs.to(run); row++) {
            long to = 4L * row * width;
            range.apply(x.segment(), to, floats[thread], 0, out.segment(), to, width, thread);
        }
    }
}
