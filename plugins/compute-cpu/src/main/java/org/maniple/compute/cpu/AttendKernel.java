package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
 * Causal attention over the cache, with a running softmax (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018). A
 * row's positions are taken in chunks that begin at the first one it sees, so that its sums do not depend on its span. Threads take a
 * row and the query heads that read one key-value head.
 */
final class AttendKernel implements Kernel, Workers.Task {

    /** Positions of a chunk; a multiple of the partial sums. */
    static final int CHUNK = 256;

    /** What a thread needs: scores of one chunk for each head of a group, and the running softmax of each. */
    private record Scratch(MemorySegment scores, MemorySegment single, float[] greatest, float[] sums, float[] lanes) {

        static Scratch of(int heads, float[] lanes) {
            Arena arena = Arena.ofAuto();
            return new Scratch(arena.allocate(Math.max(64, 4L * CHUNK * heads), 64), arena.allocate(64, 64), new float[heads],
                    new float[heads], lanes);
        }

        /** The exponential of one number, by the instructions that compute those of the weights. */
        float exp(float value) {
            single.set(JAVA_FLOAT_UNALIGNED, 0, value);
            Functions.exp(single, 0, single, 0, Lanes.L);
            return single.get(JAVA_FLOAT_UNALIGNED, 0);
        }
    }

    private final Workers workers;
    private final Scratch[] scratch;
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

    private AttendKernel(Workers workers, float[][] lanes, OpCall call, BuiltinOp.Attend op) {
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
        this.scratch = new Scratch[workers.threads()];
        int heads = HeadGroups.largest(groups);
        for (int i = 0; i < scratch.length; i++) {
            scratch[i] = Scratch.of(heads, lanes[i]);
        }
    }

    static Optional<Kernel> of(Workers workers, float[][] lanes, OpCall call, BuiltinOp.Attend op) {
        boolean floats = call.inputs().stream().allMatch(tensor -> tensor.dtype() == DType.F32);
        return floats ? Optional.of(new AttendKernel(workers, lanes, call, op)) : Optional.empty();
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
        Scratch mine = scratch[thread];
        long query = 4L * ((long) row * queries.width() + (long) head * keyLength);
        long result = 4L * ((long) row * out.width() + (long) head * valueLength);
        for (int i = 0; i < heads * valueLength; i++) {
            out.segment().set(JAVA_FLOAT_UNALIGNED, result + 4L * i, 0f);
        }
        int span = step.spanOf(row);
        int end = step.position(row) + 1;
        int begin = first(end - 1);
        for (int from = begin; from < end; from += CHUNK) {
            int to = Math.min(end, from + CHUNK);
            scores(mine, step, span, from, to, query, heads, kvHead);
            for (int i = 0; i < heads; i++) {
                weigh(mine, i, to - from, from == begin, result + 4L * i * valueLength);
            }
            gather(mine, step, span, from, to, result, heads, kvHead);
        }
        for (int i = 0; i < heads; i++) {
            divide(result + 4L * i * valueLength, mine.sums[i]);
        }
    }

    private void scores(Scratch mine, Step step, int span, int from, int to, long query, int heads, int kvHead) {
        int size = step.blockSize();
        long stride = 4L * keys.width();
        int position = from;
        while (position < to) {
            int inBlock = position % size;
            int count = Math.min(size - inBlock, to - position);
            long slot = (long) step.block(span, position / size) * size + inBlock;
            long key = slot * stride + 4L * kvHead * keyLength;
            product.compute(keys.segment(), key, stride, count, queries.segment(), query, 4L * keyLength, heads, mine.scores,
                    4L * (position - from), 4L * CHUNK, mine.lanes);
            position += count;
        }
    }

    /** Turns a chunk's scores of a head into weights, and shrinks what was gathered before if a greater score has come. */
    private void weigh(Scratch mine, int head, int count, boolean beginning, long result) {
        long at = 4L * CHUNK * head;
        int padded = Math.ceilDiv(count, Lanes.COUNT) * Lanes.COUNT;
        // Padding with the last score changes no maximum; its weights are cleared afterwards.
        float last = mine.scores.get(JAVA_FLOAT_UNALIGNED, at + 4L * (count - 1));
        for (int i = count; i < padded; i++) {
            mine.scores.set(JAVA_FLOAT_UNALIGNED, at + 4L * i, last);
        }
        Functions.scale(mine.scores, at, scale, mine.scores, at, padded);
        float greatest = Lanes.greatest(mine.scores, at, padded, mine.lanes);
        if (!beginning) {
            greatest = Math.max(greatest, mine.greatest[head]);
        }
        Functions.subtract(mine.scores, at, greatest, mine.scores, at, padded);
        Functions.exp(mine.scores, at, mine.scores, at, padded);
        for (int i = count; i < padded; i++) {
            mine.scores.set(JAVA_FLOAT_UNALIGNED, at + 4L * i, 0f);
        }
        float sum = Lanes.sum(mine.scores, at, padded, mine.lanes);
        if (!beginning) {
            float factor = mine.exp(mine.greatest[head] - greatest);
            sum = Math.fma(mine.sums[head], factor, sum);
            for (int i = 0; i < valueLength; i++) {
                out.segment().set(JAVA_FLOAT_UNALIGNED, result + 4L * i,
                        out.segment().get(JAVA_FLOAT_UNALIGNED, result + 4L * i) * factor);
            }
        }
        mine.greatest[head] = greatest;
        mine.sums[head] = sum;
    }

    private void gather(Scratch mine, Step step, int span, int from, int to, long result, int heads, int kvHead) {
        int size = step.blockSize();
        long stride = 4L * values.width();
        int position = from;
        while (position < to) {
            int inBlock = position % size;
            int count = Math.min(size - inBlock, to - position);
            long slot = (long) step.block(span, position / size) * size + inBlock;
            long value = slot * stride + 4L * kvHead * valueLength;
            for (int i = 0; i < heads; i++) {
                WeightedRows.add(values.segment(), value, stride, count, mine.scores, 4L * (CHUNK * i + position - from),
                        out.segment(),
                        result + 4L * i * valueLength, valueLength);
            }
            position += count;
        }
    }

    private void divide(long result, float sum) {
        for (int i = 0; i < valueLength; i++) {
            out.segment().set(JAVA_FLOAT_UNALIGNED, result + 4L * i,
                    out.segment().get(JAVA_FLOAT_UNALIGNED, result + 4L * i) / sum);
        }
    }
}
