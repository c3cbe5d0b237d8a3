package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

/** The best candidates of each row, and the sum of exponentials over all. Threads take rows. */
final class TopKKernel implements Kernel, Workers.Task {

    /** Logits whose exponentials are summed in single precision; the sums of such blocks are added in double precision. */
    private static final int BLOCK = 1024;

    private final Workers workers;
    private final Scratch[] scratch;
    private final MemorySegment[] exponentials;
    private final Tensor logits;
    private final Tensor out;
    private final UnitList own;
    private final int k;
    /** Computes everything, unless Java does. */
    private final @Nullable NativeRows rows;

    private TopKKernel(Shared shared, OpCall call, int k) {
        this.workers = shared.workers();
        this.scratch = shared.scratch();
        this.rows = shared.rows();
        this.exponentials = new MemorySegment[workers.threads()];
        for (int i = 0; i < exponentials.length; i++) {
            exponentials[i] = Arena.ofAuto().allocate(4L * BLOCK, 64);
        }
        this.logits = call.input(0);
        this.out = call.output(0);
        this.own = call.units(call.node().inputs().getFirst().dims().get(1).axis());
        this.k = k;
    }

    static Optional<Kernel> of(Shared shared, OpCall call, BuiltinOp.TopK op) {
        return call.input(0).dtype() == DType.F32
                ? Optional.of(new TopKKernel(shared, call, op.k()))
                : Optional.empty();
    }

    @Override
    public void run(Step step) {
        workers.run(this, out.rows(), logits.width() >= 8 * BLOCK);
    }

    @Override
    public void compute(int row, int thread) {
        MemorySegment to = out.segment();
        long at = 4L * row * (2L * k + 2);
        long from = 4L * row * logits.width();
        for (int i = 0; i < k; i++) {
            to.set(JAVA_FLOAT_UNALIGNED, at + 4L * i, Float.NEGATIVE_INFINITY);
            to.set(JAVA_INT_UNALIGNED, at + 4L * (k + i), -1);
        }
        int index = 0;
        if (rows != null) {
            for (int range = 0; range < own.ranges(); range++) {
                int count = own.to(range) - own.from(range);
                rows.candidates(logits.segment(), from + 4L * index, count, own.from(range), to, at, k);
                index += count;
            }
            rows.softmaxSum(logits.segment(), from, index, to, at + 8L * k);
            return;
        }
        float greatest = Float.NEGATIVE_INFINITY;
        for (int range = 0; range < own.ranges(); range++) {
            for (int id = own.from(range); id < own.to(range); id++) {
                float value = logits.segment().get(JAVA_FLOAT_UNALIGNED, from + 4L * index++);
                greatest = Math.max(greatest, value);
                offer(to, at, value, id);
            }
        }
        to.set(JAVA_FLOAT_UNALIGNED, at + 8L * k, greatest);
        to.set(JAVA_FLOAT_UNALIGNED, at + 8L * k + 4, sum(from, greatest, thread));
    }

    private float sum(long from, float greatest, int thread) {
        MemorySegment block = exponentials[thread];
        double sum = 0;
        for (int done = 0; done < own.size(); done += BLOCK) {
            int count = Math.min(BLOCK, own.size() - done);
            int padded = Math.ceilDiv(count, Lanes.COUNT) * Lanes.COUNT;
            MemorySegment.copy(logits.segment(), from + 4L * done, block, 0, 4L * count);
            for (int i = count; i < padded; i++) {
                block.set(JAVA_FLOAT_UNALIGNED, 4L * i, Float.NEGATIVE_INFINITY);
            }
            Functions.subtract(block, 0, greatest, block, 0, padded);
            Functions.exp(block, 0, block, 0, padded);
            sum += Lanes.sum(block, 0, padded, scratch[thread].lanes());
        }
        return (float) sum;
    }

    /** Puts a candidate in its place. Ids come in ascending order, so that of two equal values the first stays before the second. */
    private void offer(MemorySegment to, long at, float value, int id) {
        int place = k;
        while (place > 0 && before(to, at, value, place - 1)) {
            place--;
            if (place + 1 < k) {
                to.set(JAVA_FLOAT_UNALIGNED, at + 4L * (place + 1), to.get(JAVA_FLOAT_UNALIGNED, at + 4L * place));
                to.set(JAVA_INT_UNALIGNED, at + 4L * (k + place + 1), to.get(JAVA_INT_UNALIGNED, at + 4L * (k + place)));
            }
        }
        if (place < k) {
            to.set(JAVA_FLOAT_UNALIGNED, at + 4L * place, value);
            to.set(JAVA_INT_UNALIGNED, at + 4L * (k + place), id);
        }
    }

    private boolean before(MemorySegment to, long at, float value, int place) {
        return value > to.get(JAVA_FLOAT_UNALIGNED, at + 4L * place) || to.get(JAVA_INT_UNALIGNED, at + 4L * (k + place)) < 0;
    }
}
