package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.util.Optional;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

/** Looks up rows of the embedding; rows of other ranks count zero. */
final class EmbedKernel implements Kernel {

    private final Tensor ids;
    private final Tensor weight;
    private final WeightRows rows;
    private final Tensor out;
    private final UnitList own;

    private EmbedKernel(OpCall call, WeightRows rows) {
        this.ids = call.input(0);
        this.weight = call.input(1);
        this.rows = rows;
        this.out = call.output(0);
        this.own = call.units(call.node().inputs().get(1).dims().getFirst().axis());
    }

    static Optional<Kernel> of(OpCall call) {
        if (call.input(0).dtype() != DType.I32) {
            return Optional.empty();
        }
        return WeightRows.of(call.input(1).dtype()).map(rows -> new EmbedKernel(call, rows));
    }

    @Override
    public void run(Step step) {
        int width = out.width();
        for (int row = 0; row < out.rows(); row++) {
            int local = own.indexOf(ids.segment().get(JAVA_INT_UNALIGNED, 4L * row));
            long to = 4L * row * width;
            if (local < 0) {
                for (int i = 0; i < width; i++) {
                    out.segment().set(JAVA_FLOAT_UNALIGNED, to + 4L * i, 0f);
                }
            } else {
                long from = (long) local * width * rows.bytes();
                for (int i = 0; i < width; i++) {
                    float value = rows.get(weight.segment(), from + (long) i * rows.bytes());
                    out.segment().set(JAVA_FLOAT_UNALIGNED, to + 4L * i, value);
                }
            }
        }
    }
}
