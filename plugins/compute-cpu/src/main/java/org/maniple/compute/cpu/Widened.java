package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/**
 * A small weight (of a norm, or a bias) as floats plus an offset. Converted when it is first used, since weights may be loaded after
 * kernels are bound to their memory. Call {@link #segment} on the rank's own thread only.
 */
final class Widened {

    private final WeightMatrix rows;
    private final Scratch scratch = new Scratch();
    private final float offset;
    private final int count;
    private final MemorySegment floats;
    private boolean ready;

    private Widened(Tensor stored, WeightMatrix rows, int count, float offset) {
        this.rows = rows;
        rows.reserve(scratch);
        this.offset = offset;
        this.count = count;
        this.ready = stored.dtype() == DType.F32 && offset == 0;
        this.floats = ready ? stored.segment() : Arena.ofAuto().allocate(Math.max(4L, 4L * count), 64);
    }

    /** A weight with an offset; empty if its type has no kernels, or its elements have factors. */
    static Optional<Widened> of(Tensor stored, float offset) {
        if (stored.stacked() || stored.scales().isPresent()) {
            return Optional.empty();
        }
        int count = stored.rows() * stored.width();
        int length = stored.blockRows().map(BlockRows::columns).orElse(count);
        int rows = length == 0 ? 0 : count / length;
        return WeightMatrix.of(new VectorProducts(), stored, rows, new int[] {length}, ActivationForm.F32)
                .map(matrix -> new Widened(stored, matrix, count, offset));
    }

    int count() {
        return count;
    }

    MemorySegment segment() {
        if (!ready) {
            for (int at = 0; at < count; at += rows.count()) {
                rows.widen(0, at / rows.count(), floats, 4L * at, scratch);
            }
            for (int i = 0; i < count; i++) {
                floats.set(JAVA_FLOAT_UNALIGNED, 4L * i, offset + floats.get(JAVA_FLOAT_UNALIGNED, 4L * i));
            }
            ready = true;
        }
        return floats;
    }
}
