package org.maniple.compute.cpu;

import java.util.List;
import org.maniple.api.compute.Kernel;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;

/** The middle of a gated feed-forward network in one pass: each chunk computes its columns of gate and up and joins them. */
final class GatedKernel implements Kernel, Workers.Task {

    private final Workers workers;
    private final Scratch[] scratch;
    private final Matrix gate;
    private final Matrix up;
    private final Tensor out;
    private final ElementRange glu;
    private final ColumnChunks chunks;
    private final SlotRuns runs;
    private final PreparedInput input;

    /**
     * Binds the operations.
     *
     * @param gate the contraction that the function is applied to
     * @param up the other one, of the same extents
     * @param glu the function of both
     * @param out receives the products
     * @param input of both, gate first
     */
    GatedKernel(Workers workers, Scratch[] scratch, Matrix gate, Matrix up, ElementRange glu, Tensor out,
            PreparedInput input) {
        this.workers = workers;
        this.scratch = scratch;
        this.gate = gate;
        this.up = up;
        this.out = out;
        this.glu = glu;
        this.chunks = ColumnChunks.of(List.of(gate), workers.threads(), up.weights().rowsTogether());
        this.runs = new SlotRuns(gate.x());
        this.input = input;
        for (Scratch each : scratch) {
            gate.weights().reserve(each);
            up.weights().reserve(each);
        }
    }

    @Override
    public void run(Step step) {
        input.prepare(step);
        workers.run(this, runs.refresh() * chunks.count(), 2L * runs.rows() * gate.work() >= ContractKernel.WORTH_WAKING);
    }

    @Override
    public void compute(int chunk, int thread) {
        int run = chunk / chunks.count();
        int piece = chunks.firstPiece(chunk % chunks.count());
        int from = chunks.from(piece);
        int to = chunks.to(piece);
        gate.compute(input, 0, runs, run, from, to, scratch[thread]);
        up.compute(input, 1, runs, run, from, to, scratch[thread]);
        for (int row = runs.from(run); row < runs.to(run); row++) {
            long at = 4L * ((long) row * out.width() + from);
            glu.apply(gate.out().segment(), at, up.out().segment(), at, out.segment(), at, to - from, thread);
        }
    }
}
