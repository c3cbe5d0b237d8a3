package org.maniple.compute.cpu;

import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;

/** The middle of a gated feed-forward network in one pass: each chunk computes its columns of gate and up and joins them. */
final class GatedKernel implements Kernel, Workers.Task {

    private final Workers workers;
    private final float[][] lanes;
    private final Matrix gate;
    private final Matrix up;
    private final Tensor out;
    private final ElementRange glu;
    private final int chunkColumns;

    /**
     * Binds the operations.
     *
     * @param gate the contraction that the function is applied to
     * @param up the other one, of the same extents
     * @param out receives the products
     */
    GatedKernel(Workers workers, float[][] lanes, Matrix gate, Matrix up, ElementFunction.Glu glu, Tensor out) {
        this.workers = workers;
        this.lanes = lanes;
        this.gate = gate;
        this.up = up;
        this.out = out;
        this.glu = new ElementRange(glu, workers.threads());
        this.chunkColumns = gate.chunkColumns(workers.threads());
    }

    @Override
    public void run(Step step) {
        int rows = out.rows();
        if (rows > 0) {
            workers.run(this, Math.ceilDiv(out.width(), chunkColumns), 2L * rows * gate.work() >= ContractKernel.WORTH_WAKING);
        }
    }

    @Override
    public void compute(int chunk, int thread) {
        int from = chunk * chunkColumns;
        int to = Math.min(out.width(), from + chunkColumns);
        gate.compute(from, to, lanes[thread]);
        up.compute(from, to, lanes[thread]);
        for (int row = 0; row < out.rows(); row++) {
            long at = 4L * ((long) row * out.width() + from);
            glu.apply(gate.out().segment(), at, up.out().segment(), at, out.segment(), at, to - from, thread);
        }
    }
}
