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
    private final Tensor common;
    private final WeightRows kernels;
    private final Tensor out;
    private final SlotRuns runs;
    /** For each thread an expert's elements as floats. */
    private final MemorySegment[] floats;

    private ExpertMapKernel(Workers workers, ElementFunction function, OpCall call, WeightRows kernels) {
        this.workers = workers;
        this.range = new ElementRange(function, workers.threads());
        this.x = call.input(0);
        this.common = call.input(1);
        this.kernels = kernels;
        this.out = call.output(0);
        this.runs = new SlotRuns(x);
        this.floats = new MemorySegment[workers.threads()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = Arena.ofAuto().allocate(Math.max(4L, 4L * x.width()), 64);
        }
    }

    static Optional<Kernel> of(Workers workers, OpCall call, ElementFunction function) {
        Tensor x = call.input(0);
        Tensor common = call.input(1);
        if (x.dtype() != DType.F32 || !x.ragged() || common.scales().isPresent()) {
            return Optional.empty();
        }
        if (common.width() != x.width() || common.extent(0) != x.pairs().slots()) {
            throw new IllegalArgumentException(
                    call.node() + ": " + common + " for " + x + " with " + x.pairs().slots() + " slots");
        }
        return WeightRows.of(common.dtype()).map(kernels -> new ExpertMapKernel(workers, function, call, kernels));
    }

    @Override
    public void run(Step step) {
        workers.run(this, runs.refresh(), (long) runs.rows() * x.width() >= ContractKernel.WORTH_WAKING);
    }

    @Override
    public void compute(int run, int thread) {
        int width = x.width();
        int slot = runs.slot(run);
        long at = common.stacked() ? 0 : (long) slot * width * kernels.bytes();
        kernels.widen(common.stacked() ? common.slot(slot) : common.segment(), at, floats[thread], 0, width);
        for (int row = runs.from(run); row < runs.to(run); row++) {
            long to = 4L * row * width;
            range.apply(x.segment(), to, floats[thread], 0, out.segment(), to, width, thread);
        }
    }
}
