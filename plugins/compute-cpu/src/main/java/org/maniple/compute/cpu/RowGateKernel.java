package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/** Rows times the sigmoid of one number for each. Threads take rows. */
final class RowGateKernel implements Kernel, Workers.Task {

    private final Workers workers;
    private final Tensor x;
    private final Tensor gate;
    private final Tensor out;
    /** For each thread room for a vector. */
    private final MemorySegment[] singles;

    private RowGateKernel(Workers workers, OpCall call) {
        this.workers = workers;
        this.x = call.input(0);
        this.gate = call.input(1);
        this.out = call.output(0);
        this.singles = new MemorySegment[workers.threads()];
        for (int i = 0; i < singles.length; i++) {
            singles[i] = Arena.ofAuto().allocate(64, 64);
        }
    }

    static Optional<Kernel> of(Workers workers, OpCall call) {
        Tensor gate = call.input(1);
        boolean floats = call.input(0).dtype() == DType.F32 && gate.dtype() == DType.F32;
        return floats && gate.width() == 1 ? Optional.of(new RowGateKernel(workers, call)) : Optional.empty();
    }

    @Override
    public void run(Step step) {
        workers.run(this, out.rows(), (long) out.rows() * out.width() >= ContractKernel.WORTH_WAKING);
    }

    @Override
    public void compute(int row, int thread) {
        MemorySegment single = singles[thread];
        single.set(JAVA_FLOAT_UNALIGNED, 0, -gate.segment().get(JAVA_FLOAT_UNALIGNED, 4L * row));
        Functions.exp(single, 0, single, 0, Lanes.L);
        float factor = 1 / (1 + single.get(JAVA_FLOAT_UNALIGNED, 0));
        int width = out.width();
        int whole = width - width % Lanes.L;
        long at = 4L * row * width;
        Functions.scale(x.segment(), at, factor, out.segment(), at, whole);
        for (int i = whole; i < width; i++) {
            out.segment().set(JAVA_FLOAT_UNALIGNED, at + 4L * i, x.segment().get(JAVA_FLOAT_UNALIGNED, at + 4L * i) * factor);
        }
    }
}
