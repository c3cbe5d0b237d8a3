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
    private final WeightMatrix weight;
    private final Tensor out;
    private final UnitList own;
    private final Scratch scratch;

    private EmbedKernel(OpCall call, WeightMatrix weight, Scratch scratch) {
        this.ids = call.input(0);
        this.weight = weight;
        this.scratch = scratch;
        this.out = call.output(0);
        this.own = call.units(call.node().inputs().get(1).dims().getFirst().axis());
    }

    static Optional<Kernel> of(Shared shared, OpCall call) {
        if (call.input(0).dtype() != DType.I32) {
            return Optional.empty();
        }
        Scratch scratch = shared.scratch()[0];
        Tensor weight = call.input(1);
        return WeightMatrix.of(shared.products(), weight, weight.extent(0), new int[] {weight.width()}, ActivationForm.F32)
                .map(matrix -> {
                    matrix.reserve(scratch);
                    return new EmbedKernel(call, matrix, scratch);
                });
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
                weight.widen(0, local, out.segment(), to, scratch);
            }
        }
    }
}
