package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;

/** Rotary position embedding. Threads take some rows. */
final class RopeKernel implements RowWise, Workers.Task {

    private static final int CHUNK = 4096;

    private final Workers workers;
    /** Turns rows, unless Java does. */
    private final @Nullable NativeRows functions;
    private final Tensor x;
    private final Tensor out;
    private final int length;
    private final int pairs;
    private final boolean interleaved;
    private final RopeTable table;
    /** The step that is being computed; set before the threads begin. */
    private @Nullable Step current;

    RopeKernel(Shared shared, OpCall call, BuiltinOp.Rope op, RopeTable table) {
        this.workers = shared.workers();
        this.functions = shared.rows();
        this.x = call.input(0);
        this.out = call.output(0);
        this.length = x.extent(x.rank() - 1);
        this.pairs = op.frequencies().size();
        this.interleaved = op.interleaved();
        this.table = table;
        if (2 * pairs > length) {
            throw new IllegalArgumentException(call.node() + ": " + pairs + " pairs do not fit " + length + " elements");
        }
    }

    private int chunkRows() {
        return Math.max(1, CHUNK / Math.max(1, x.width()));
    }

    @Override
    public void run(Step step) {
        int count = out.rows();
        if (count == 0 || x.width() == 0) {
            return;
        }
        begin(step);
        workers.run(this, Math.ceilDiv(count, chunkRows()), (long) count * x.width() >= 2 * CHUNK);
    }

    @Override
    public int rows() {
        return out.rows();
    }

    @Override
    public int width() {
        return x.width();
    }

    @Override
    public void begin(Step step) {
        current = step;
    }

    @Override
    public void compute(int chunk, int thread) {
        compute(chunk * chunkRows(), Math.min(out.rows(), (chunk + 1) * chunkRows()), thread);
    }

    @Override
    public void compute(int from, int to, int thread) {
        Step step = Objects.requireNonNull(current);
        int width = x.width();
        for (int row = from; row < to && width > 0; row++) {
            int line = table.line(row, step.position(row));
            if (functions != null) {
                functions.rope(x.segment(), out.segment(), 4L * row * width, width / length, length, pairs, interleaved,
                        table.cosines(),
                        table.sines(), 4L * line);
            } else {
                turn(row, line);
            }
        }
    }

    private void turn(int row, int line) {
        int width = x.width();
        for (int start = 0; start < width; start += length) {
            long at = 4L * ((long) row * width + start);
            if (interleaved) {
                turn(x.segment(), at, at + 4, 8, line);
            } else {
                turn(x.segment(), at, at + 4L * pairs, 4, line);
            }
            int turned = 2 * pairs;
            if (turned < length) {
                MemorySegment.copy(x.segment(), at + 4L * turned, out.segment(), at + 4L * turned, 4L * (length - turned));
            }
        }
    }

    private void turn(MemorySegment from, long first, long second, long stride, int line) {
        MemorySegment to = out.segment();
        MemorySegment cosines = table.cosines();
        MemorySegment sines = table.sines();
        for (int i = 0; i < pairs; i++) {
            float a = from.get(JAVA_FLOAT_UNALIGNED, first + i * stride);
            float b = from.get(JAVA_FLOAT_UNALIGNED, second + i * stride);
            float cos = cosines.getAtIndex(JAVA_FLOAT, line + i);
            float sin = sines.getAtIndex(JAVA_FLOAT, line + i);
            to.set(JAVA_FLOAT_UNALIGNED, first + i * stride, a * cos - b * sin);
            to.set(JAVA_FLOAT_UNALIGNED, second + i * stride, b * cos + a * sin);
        }
    }
}
