package org.maniple.compute.cpu;

import java.util.List;
import org.maniple.api.step.Step;

/** Kernels that work row by row, in one pass: each thread takes some rows through all of them. */
final class RowSequence implements RowWise, Workers.Task {

    /** Elements below which waking other threads costs more than it saves. */
    static final long WORTH_WAKING = 1 << 13;

    private final Workers workers;
    private final RowWise[] kernels;
    private final int width;
    private int chunkRows;

    /**
     * A sequence.
     *
     * @param kernels in their order; none makes rows that another one reads as other rows
     */
    RowSequence(Workers workers, List<RowWise> kernels) {
        this.workers = workers;
        this.kernels = kernels.toArray(RowWise[]::new);
        this.width = kernels.stream().mapToInt(RowWise::width).sum();
    }

    /** Rows that a thread takes at once, for each to get two shares. */
    static int chunkRows(int rows, int threads) {
        return Math.max(1, Math.ceilDiv(rows, 2 * threads));
    }

    /** {@code -1} if not all have the same. */
    @Override
    public int rows() {
        int rows = kernels[0].rows();
        for (RowWise kernel : kernels) {
            if (kernel.rows() != rows) {
                return -1;
            }
        }
        return rows;
    }

    @Override
    public int width() {
        return width;
    }

    @Override
    public void run(Step step) {
        int rows = rows();
        if (rows < 0) {
            runOneByOne(step);
            return;
        }
        begin(step);
        chunkRows = chunkRows(rows, workers.threads());
        workers.run(this, Math.ceilDiv(rows, chunkRows), (long) rows * width >= WORTH_WAKING);
    }

    private void runOneByOne(Step step) {
        for (RowWise kernel : kernels) {
            kernel.run(step);
        }
    }

    @Override
    public void begin(Step step) {
        for (RowWise kernel : kernels) {
            kernel.begin(step);
        }
    }

    @Override
    public void compute(int chunk, int thread) {
        int from = chunk * chunkRows;
        compute(from, Math.min(from + chunkRows, rows()), thread);
    }

    @Override
    public void compute(int from, int to, int thread) {
        for (RowWise kernel : kernels) {
            kernel.compute(from, to, thread);
        }
    }
}
