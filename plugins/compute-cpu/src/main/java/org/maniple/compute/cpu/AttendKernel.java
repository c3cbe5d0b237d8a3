package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/**
 * Causal attention over the cache, with a running {@link Softmax}. A row's positions are taken in chunks that begin at the first one it
 * sees, so that its sums do not depend on its span. Threads take a row and the query heads that read one key-value head.
 */
final class AttendKernel implements Kernel, Workers.Task {

    private final Workers workers;
    private final Softmax[] softmaxes;
    /** A score for each head that nothing is gathered for. */
    private final @Nullable Widened sinks;
    private final Tensor queries;
    private final Tensor keys;
    private final Tensor values;
    private final Tensor out;
    private final int[] groups;
    private final int window;
    private final float scale;
    private final int keyLength;
    private final int valueLength;
    private final PlainProduct product;
    /** The step that is being computed; set before the threads begin. */
    private @Nullable Step current;

    private AttendKernel(Workers workers, Scratch[] shared, OpCall call, BuiltinOp.Attend op, @Nullable Widened sinks) {
        this.workers = workers;
        this.queries = call.input(0);
        this.keys = call.input(1);
        this.values = call.input(2);
        this.out = call.output(0);
        this.groups = HeadGroups.of(call);
        this.window = op.window();
        this.scale = (float) op.scale();
        this.keyLength = queries.extent(2);
        this.valueLength = out.extent(2);
        this.product = new PlainProduct(new F32Rows(), keyLength);
        this.sinks = sinks;
        this.softmaxes = new Softmax[workers.threads()];
        int heads = HeadGroups.largest(groups);
        for (int i = 0; i < softmaxes.length; i++) {
            softmaxes[i] = new Softmax(heads, shared[i].lanes());
        }
    }

    static Optional<Kernel> of(Workers workers, Scratch[] shared, OpCall call, BuiltinOp.Attend op) {
        boolean floats = call.inputs().stream().limit(3).allMatch(tensor -> tensor.dtype() == DType.F32);
        if (!floats) {
            return Optional.empty();
        }
        return call.inputs().size() > 3
                ? Widened.of(call.input(3), 0).map(sinks -> new AttendKernel(workers, shared, call, op, sinks))
                : Optional.of(new AttendKernel(workers, shared, call, op, null));
    }

    @Override
    public void run(Step step) {
        int rows = out.rows();
        int count = groups.length / 3;
        if (rows == 0 || count == 0 || valueLength == 0) {
            return;
        }
        long seen = 0;
        for (int row = 0; row < rows; row++) {
            seen += step.position(row) - first(step.position(row)) + 1;
        }
        if (sinks != null) {
            sinks.segment();
        }
        current = step;
        workers.run(this, rows * count, seen * queries.width() >= ContractKernel.WORTH_WAKING / 4);
    }

    private int first(int position) {
        return window == 0 ? 0 : Math.max(0, position - window + 1);
    }

    @Override
    public void compute(int chunk, int thread) {
        Step step = Objects.requireNonNull(current);
        int row = chunk / (groups.length / 3);
        int group = 3 * (chunk % (groups.length / 3));
        int head = groups[group];
        int heads = groups[group + 1];
        int kvHead = groups[group + 2];
        Softmax mine = softmaxes[thread];
        long query = 4L * ((long) row * queries.width() + (long) head * keyLength);
        long result = 4L * ((long) row * out.width() + (long) head * valueLength);
        for (int i = 0; i < heads * valueLength; i++) {
            out.segment().set(JAVA_FLOAT_UNALIGNED, result + 4L * i, 0f);
        }
        for (int i = 0; i < heads; i++) {
            if (sinks == null) {
                mine.begin(i);
            } else {
                mine.begin(i, sinks.segment().get(JAVA_FLOAT_UNALIGNED, 4L * (head + i)));
            }
        }
        int span = step.spanOf(row);
        int end = step.position(row) + 1;
        int begin = first(end - 1);
        for (int from = begin; from < end; from += Softmax.CHUNK) {
            int to = Math.min(end, from + Softmax.CHUNK);
            scores(mine, step, span, from, to, query, heads, kvHead);
            for (int i = 0; i < heads; i++) {
                mine.weigh(i, to - from, scale, out.segment(), result + 4L * i * valueLength, valueLength);
            }
            gather(mine, step, span, from, to, result, heads, kvHead);
        }
        for (int i = 0; i < heads; i++) {
            mine.divide(i, out.segment(), result + 4L * i * valueLength, valueLength);
        }
    }

    private void scores(Softmax mine, Step step, int span, int from, int to, long query, int heads, int kvHead) {
        int size = step.blockSize();
        long stride = 4L * keys.width();
        int position = from;
        while (position < to) {
            int inBlock = position % size;
            int count = Math.min(size - inBlock, to - position);
            long slot = (long) step.block(span, position / size) * size + inBlock;
            long key = slot * stride + 4L * kvHead * keyLength;
            product.compute(keys.segment(), key, stride, count, queries.segment(), query, 4L * keyLength, heads, mine.scores(),
                    4L * (position - from), Softmax.STRIDE, mine.lanes());
            position += count;
        }
    }

    private void gather(Softmax mine, Step step, int span, int from, int to, long result, int heads, int kvHead) {
        int size = step.blockSize();
        long stride = 4L * values.width();
        int position = from;
        while (position < to) {
            int inBlock = position % size;
            int count = Math.min(size - inBlock, to - position);
            long slot = (long) step.block(span, position / size) * size + inBlock;
            long value = slot * stride + 4L * kvHead * valueLength;
            for (int i = 0; i < heads; i++) {
                WeightedRows.add(values.segment(), value, stride, count, mine.scores(),
                        Softmax.STRIDE * i + 4L * (position - from),
                        out.segment(),
                        result + 4L * i * valueLength, valueLength);
            }
            position += count;
        }
    }
}
