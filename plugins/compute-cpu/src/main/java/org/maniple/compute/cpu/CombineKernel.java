package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.util.Optional;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;

/** Sums the rows of each token's experts by weight, in the order of its choices. Threads take parts of a token's row. */
final class CombineKernel implements Kernel, Workers.Task {

    /** Elements of a part. */
    private static final int PART = 2048;

    private final Workers workers;
    private final Tensor pairs;
    private final Tensor weights;
    private final Tensor out;
    private final ChosenRows[] chosen;
    private final int parts;

    private CombineKernel(Workers workers, OpCall call) {
        this.workers = workers;
        this.pairs = call.input(0);
        this.weights = call.input(2);
        this.out = call.output(0);
        this.parts = Math.ceilDiv(out.width(), PART);
        this.chosen = new ChosenRows[workers.threads()];
        for (int i = 0; i < chosen.length; i++) {
            chosen[i] = new ChosenRows(pairs.pairs().choices());
        }
    }

    static Optional<Kernel> of(Workers workers, OpCall call) {
        boolean floats = call.input(0).dtype() == DType.F32 && call.input(2).dtype() == DType.F32;
        return floats ? Optional.of(new CombineKernel(workers, call)) : Optional.empty();
    }

    @Override
    public void run(Step step) {
        long work = (long) out.rows() * out.width() * pairs.pairs().choices();
        workers.run(this, out.rows() * parts, work >= ContractKernel.WORTH_WAKING);
    }

    @Override
    public void compute(int chunk, int thread) {
        int token = chunk / parts;
        int from = chunk % parts * PART;
        PairRows rows = pairs.pairs();
        ChosenRows mine = chosen[thread];
        mine.clear();
        for (int choice = 0; choice < rows.choices(); choice++) {
            int row = rows.row(token, choice);
            if (row >= 0) {
                long weight = 4L * ((long) token * rows.choices() + choice);
                mine.add(4L * row * pairs.width(), weights.segment().get(JAVA_FLOAT_UNALIGNED, weight));
            }
        }
        int length = Math.min(PART, out.width() - from);
        mine.sum(pairs.segment(), 4L * from, out.segment(), 4L * ((long) token * out.width() + from), length);
    }
}
