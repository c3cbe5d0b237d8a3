package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT;

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

/** Sums of squares, or the normalization by them, or both in one pass while a row is in the cache. */
final class NormKernel implements RowWise, Workers.Task {

    private static final int CHUNK = 4096;

    /** What is multiplied: {@code x · (s/count + epsilon)^-1/2 · weight}. */
    private record Scaling(Tensor out, Widened weight, int count, float epsilon) {}

    private final Workers workers;
    private final Scratch[] scratch;
    private final Tensor x;
    private final Tensor squares;
    private final boolean sums;
    /** Computes everything, unless Java does. */
    private final @Nullable NativeRows functions;
    /** The ends of leaves for it. */
    private final MemorySegment ends;
    /** Where the leaves of a sum end. */
    private final int[] leafEnds;
    private final @Nullable Scaling scaling;

    private NormKernel(Shared shared, Tensor x, Tensor squares, boolean sums, int[] leafEnds, @Nullable Scaling scaling) {
        this.workers = shared.workers();
        this.scratch = shared.scratch();
        this.functions = shared.rows();
        this.ends = Arena.ofAuto().allocate(4L * leafEnds.length, 4);
        MemorySegment.copy(leafEnds, 0, ends, JAVA_INT, 0, leafEnds.length);
        this.x = x;
        this.squares = squares;
        this.sums = sums;
        this.leafEnds = leafEnds;
        this.scaling = scaling;
    }

    static Optional<Kernel> sumSquares(Shared shared, OpCall call) {
        Tensor x = call.input(0);
        return x.dtype() == DType.F32
                ? Optional.of(new NormKernel(shared, x, call.output(0), true, leafEnds(call), null))
                : Optional.empty();
    }

    private static int[] leafEnds(OpCall sums) {
        int groups = sums.output(0).width();
        return Leaves.ends(sums.leaves(), groups == 0 ? 0 : sums.input(0).width() / groups);
    }

    /** The second half; with {@code sums} the first one too. */
    static Optional<Kernel> normalize(Shared shared, OpCall call, BuiltinOp.Normalize op, Optional<OpCall> sums) {
        Tensor x = call.input(0);
        int count = op.normed().stream().mapToInt(axis -> call.node().inputs().getFirst().extent(axis)).reduce(1,
                Math::multiplyExact);
        if (x.dtype() != DType.F32) {
            return Optional.empty();
        }
        return Widened.of(call.input(2), op.offset()).map(weight -> new NormKernel(shared, x, call.input(1),
                sums.isPresent(), sums.map(NormKernel::leafEnds).orElse(new int[0]),
                new Scaling(call.output(0), weight, count, op.epsilon())));
    }

    private int groups() {
        return x.rows() * squares.width();
    }

    private int length() {
        return squares.width() == 0 ? 0 : x.width() / squares.width();
    }

    private int chunkGroups() {
        return Math.max(1, CHUNK / Math.max(1, length()));
    }

    @Override
    public void run(Step step) {
        int groups = groups();
        if (groups == 0) {
            return;
        }
        begin(step);
        workers.run(this, Math.ceilDiv(groups, chunkGroups()), (long) groups * length() >= 2 * CHUNK);
    }

    @Override
    public int rows() {
        return x.rows();
    }

    @Override
    public int width() {
        return x.width();
    }

    @Override
    public void begin(Step step) {
        if (scaling != null) {
            scaling.weight.segment();
        }
    }

    @Override
    public void compute(int chunk, int thread) {
        int first = chunk * chunkGroups();
        groups(first, Math.min(groups(), first + chunkGroups()), thread);
    }

    @Override
    public void compute(int from, int to, int thread) {
        groups(from * squares.width(), to * squares.width(), thread);
    }

    private void groups(int first, int end, int thread) {
        int length = length();
        if (first == end) {
            return;
        }
        if (functions != null) {
            functions.norm(x.segment(), 4L * first * length, squares.segment(), first, ends,
                    scaling == null ? MemorySegment.NULL : scaling.weight.segment(),
                    scaling == null ? x.segment() : scaling.out.segment(), end - first, length,
                    scaling == null ? 1 : scaling.count,
                    scaling == null ? 0 : scaling.epsilon);
            return;
        }
        for (int group = first; group < end; group++) {
            long at = 4L * group * length;
            if (sums) {
                squares.segment().set(JAVA_FLOAT_UNALIGNED, 4L * group,
                        sumOfSquares(at, scratch[thread].lanes()));
            }
            if (scaling != null) {
                float mean = squares.segment().get(JAVA_FLOAT_UNALIGNED, 4L * group) / scaling.count;
                float factor = (float) (1 / Math.sqrt(mean + scaling.epsilon));
                scale(x.segment(), at, factor, scaling.weight.segment(), scaling.out.segment(), length);
            }
        }
    }

    private float sumOfSquares(long at, float[] scratch) {
        float sum = 0;
        int start = 0;
        for (int leaf = 0; leaf < leafEnds.length; leaf++) {
            float squaresOfLeaf = Lanes.sumOfSquares(x.segment(), at + 4L * start, leafEnds[leaf] - start, scratch);
            sum = Leaves.add(scratch, 0, leaf, squaresOfLeaf);
            start = leafEnds[leaf];
        }
        return sum;
    }

    private static void scale(MemorySegment x, long at, float factor, MemorySegment weight, MemorySegment out, int length) {
        for (int i = 0; i < length; i++) {
            float value = x.get(JAVA_FLOAT_UNALIGNED, at + 4L * i) * factor * weight.get(JAVA_FLOAT_UNALIGNED, 4L * i);
            out.set(JAVA_FLOAT_UNALIGNED, at + 4L * i, value);
        }
    }
}
