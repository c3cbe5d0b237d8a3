package org.maniple.compute.cpu;

import java.util.List;
import org.maniple.api.compute.Kernel;
import org.maniple.api.step.Step;

/**
 * One contraction, or several of the same input in one pass, such as queries, keys and values. Threads take chunks of columns; with
 * experts, chunks of columns of an expert.
 */
final class ContractKernel implements Kernel, Workers.Task {

    /** Multiplications below which waking other threads costs more than it saves. */
    static final long WORTH_WAKING = 1 << 15;

    private final Workers workers;
    private final Scratch[] scratch;
    private final Matrix[] matrices;
    /** For each chunk its matrix, its first column, and the column after its last. */
    private final int[] chunks;
    private final long work;
    private final SlotRuns runs;
    private final PreparedInput input;

    ContractKernel(Workers workers, Scratch[] scratch, List<Matrix> matrices, PreparedInput input) {
        this.workers = workers;
        this.scratch = scratch;
        this.matrices = matrices.toArray(Matrix[]::new);
        this.chunks = chunks(matrices, workers.threads());
        this.work = matrices.stream().mapToLong(Matrix::work).sum();
        this.runs = new SlotRuns(matrices.getFirst().x());
        this.input = input;
        for (Scratch each : scratch) {
            matrices.forEach(matrix -> matrix.weights().reserve(each));
        }
    }

    private static int[] chunks(List<Matrix> matrices, int threads) {
        int count = 0;
        for (Matrix matrix : matrices) {
            count += Math.ceilDiv(matrix.columns(), matrix.chunkColumns(threads));
        }
        int[] chunks = new int[3 * count];
        int at = 0;
        for (int i = 0; i < matrices.size(); i++) {
            int columns = matrices.get(i).columns();
            int step = matrices.get(i).chunkColumns(threads);
            for (int from = 0; from < columns; from += step) {
                chunks[at++] = i;
                chunks[at++] = from;
                chunks[at++] = Math.min(columns, from + step);
            }
        }
        return chunks;
    }

    @Override
    public void run(Step step) {
        input.prepare();
        workers.run(this, runs.refresh() * (chunks.length / 3), runs.rows() * work >= WORTH_WAKING);
    }

    @Override
    public void compute(int chunk, int thread) {
        int each = chunks.length / 3;
        int at = 3 * (chunk % each);
        matrices[chunks[at]].compute(input, chunks[at], runs, chunk / each, chunks[at + 1], chunks[at + 2], scratch[thread]);
    }
}
