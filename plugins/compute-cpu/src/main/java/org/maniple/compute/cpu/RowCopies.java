package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.maniple.api.compute.Kernel;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.Tensor;

/** Picks rows. */
final class RowCopies {

    private RowCopies() {}

    /** Picks the rows whose logits are wanted. */
    static Optional<Kernel> select(OpCall call) {
        Tensor x = call.input(0);
        Tensor out = call.output(0);
        if (x.dtype() != out.dtype()) {
            return Optional.empty();
        }
        long bytes = (long) x.width() * x.dtype().bytes();
        return Optional.of(step -> {
            for (int i = 0; i < out.rows(); i++) {
                MemorySegment.copy(x.segment(), step.selectedRow(i) * bytes, out.segment(), i * bytes, bytes);
            }
        });
    }
}
