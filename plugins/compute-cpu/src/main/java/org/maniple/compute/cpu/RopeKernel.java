package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;

/** Rotary position embedding. */
final class RopeKernel implements Kernel {

    private final Tensor x;
    private final Tensor out;
    private final int length;
    private final int pairs;
    private final boolean interleaved;
    private final RopeTable table;

    RopeKernel(OpCall call, BuiltinOp.Rope op, RopeTable table) {
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

    @Override
    public void run(Step step) {
        int width = x.width();
        if (width == 0) {
            return;
        }
        for (int row = 0; row < out.rows(); row++) {
            int line = table.line(row, step.position(row));
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
    }

    private void turn(MemorySegment from, long first, long second, long stride, int line) {
        MemorySegment to = out.segment();
        float[] cosines = table.cosines();
        float[] sines = table.sines();
        for (int i = 0; i < pairs; i++) {
            float a = from.get(JAVA_FLOAT_UNALIGNED, first + i * stride);
            float b = from.get(JAVA_FLOAT_UNALIGNED, second + i * stride);
            float cos = cosines[line + i];
            float sin = sines[line + i];
            to.set(JAVA_FLOAT_UNALIGNED, first + i * stride, a * cos - b * sin);
            to.set(JAVA_FLOAT_UNALIGNED, second + i * stride, b * cos + a * sin);
        }
    }
}
