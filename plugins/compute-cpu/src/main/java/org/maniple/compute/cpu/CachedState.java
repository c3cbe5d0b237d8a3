package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.maniple.api.tensor.Tensor;

/**
 * The memory of a state, as kernels read and write it.
 *
 * @param memory its elements
 * @param form what they are held as
 * @param width elements of a position
 * @param length elements of a head: the last dimension
 * @param factors of each position those of its heads, if it has any
 */
record CachedState(MemorySegment memory, CacheForm form, int width, int length, MemorySegment factors) {

    /** That of a tensor; empty if there are no kernels for its type. */
    static Optional<CachedState> of(Tensor state) {
        MemorySegment factors = state.scales().map(scales -> scales.factors().segment()).orElse(MemorySegment.NULL);
        return CacheForm.of(state).map(
                form -> new CachedState(state.segment(), form, state.width(), state.extent(state.rank() - 1), factors));
    }

    /** Heads of a position. */
    int heads() {
        return length == 0 ? 0 : width / length;
    }
}
