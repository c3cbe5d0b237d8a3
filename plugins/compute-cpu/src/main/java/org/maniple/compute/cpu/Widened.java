package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/**
 * A small weight (of a norm, or a bias) as floats plus an offset. Converted when it is first used, since weights may be loaded after
 * kernels are bound to their memory. Call {@link #segment} on the rank's own thread only.
 */
final class Widened {

    private final Tensor stored;
    private final WeightRows rows;
    private final float offset;
    private final int count;
    private final MemorySegment floats;
    private boolean ready;

    private Widened(Tensor stored, WeightRows rows, float offset) {
        this.stored = stored;
        this.rows = rows;
        this.offset = offset;
        this.count = Math.toIntExact(stored.byteSize() / rows.bytes());
        this.ready = stored.dtype() == DType.F32 && offset == 0;
        this.floats = ready ? stored.segment() : Arena.ofAuto().allocate(Math.max(4L, 4L * count), 64);
    }

    /** A weight with an offset; empty if its type has no kernels. */
    static Optional<Widened> of(Tensor stored, float offset) {
        return WeightRows.of(stored.dtype()).map(rows -> new Widened(stored, rows, offset));
    }

    int count() {
        return count;
    }

    MemorySegment segment() {
        if (!ready) {
            for (int i = 0; i < count; i++) {
                floats.set(JAVA_FLOAT_UNALIGNED, 4L * i, offset + rows.get(stored.segment(), (long) i * rows.bytes()));
            }
            ready = true;
        }
        return floats;
    }
}
