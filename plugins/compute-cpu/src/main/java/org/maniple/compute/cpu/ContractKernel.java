package org.maniple.compute.cpu;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.maniple.api.compute.Kernel;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;

/**
 * One contraction, or several of the same input in one pass, such as queries, keys and values. Threads take chunks of columns; with
 * experts, chunks of columns of an expert. What is added to a single one is added chunk by chunk.
 */
final class ContractKernel implements Kernel, Workers.Task {

    /** Multiplications below which waking other threads costs more than it saves. */
    static final long WORTH_WAKING = 1 << 15;

    /**
     * A sum that the result of the contraction is an operand of, element by element.
     *
     * @param sum the function
     * @param a its first operand
     * @param b its second operand
     * @param out receives it
     */
    record Added(ElementRange sum, Tensor a, Tensor b, Tensor out) {}

    private final Workers workers;
    private final Scratch[] scratch;
    private final Matrix[] matrices;
    private final ColumnChunks chunks;
    private final long work;
    private final SlotRuns runs;
    private final PreparedInput input;
    private final @Nullable Added added;

    ContractKernel(Workers workers, Scratch[] scratch, List<Matrix> matrices, PreparedInput input) {
        this(workers, scratch, matrices, input, null);
    }

    ContractKernel(Workers workers, Scratch[] scratch, List<Matrix> matrices, PreparedInput input, @Nullable Added added) {
        this.workers = workers;
        this.scratch = scratch;
        this.matrices = matrices.toArray(Matrix[]::new);
        this.chunks = ColumnChunks.of(matrices, workers.threads(), 1);
        this.work = matrices.stream().mapToLong(Matrix::work).sum();
        this.runs = new SlotRuns(matrices.getFirst().x());
        this.input = input;
        this.added = added;
        for (Scratch each : scratch) {
            matrices.forEach(matrix -> matrix.weights().reserve(each));
        }
    }

    @Override
    public void run(Step step) {
        input.prepare(step);
        workers.run(this, runs.refresh() * chunks.count(), runs.rows() * work >= WORTH_WAKING);
    }

    @Override
    public void compute(int chunk, int thread) {
        int run = chunk / chunks.count();
        int number = chunk % chunks.count();
        for (int piece = chunks.firstPiece(number); piece < chunks.firstPiece(number + 1); piece++) {
            int matrix = chunks.matrix(piece);
            int from = chunks.from(piece);
            int to = chunks.to(piece);
            matrices[matrix].compute(input, matrix, runs, run, from, to, scratch[thread]);
            if (added != null) {
                add(added, run, from, to, thread);
            }
        }
    }

    private void add(Added added, int run, int from, int to, int thread) {
        for (int row = runs.from(run); row < runs.to(run); row++) {
            long at = 4L * ((long) row * added.out.width() + from);
            added.sum.apply(added.a.segment(), at, added.b.segment(), at, added.out.segment(), at, to - from, thread);
        }
    }
}
