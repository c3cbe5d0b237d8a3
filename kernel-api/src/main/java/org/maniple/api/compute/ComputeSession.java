package org.maniple.api.compute;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.WeightLayout;

/**
 * A back end at work for one rank. {@link #compile} is called at start-up, kernels run afterwards, all by the rank's own thread; the session
 * may use threads of its own meanwhile.
 */
public interface ComputeSession extends AutoCloseable {

    /**
     * Memory for activations, states and weights that are copied. Once kernels run, one other thread may call this too: the one that brings weights
     * of experts from then on.
     *
     * @param bytes how much; may be 0
     * @return zeroed, aligned to 64 bytes, valid until the session is closed
     * @throws org.maniple.api.ManipleException if there is not enough; names both numbers
     */
    MemorySegment allocate(long bytes);

    /**
     * The layout in which this back end wants a weight to be held. Asked before weights are loaded; by several threads, once they are.
     *
     * @param weight how it is stored and what reads it
     * @return empty if it is to be held as it is stored
     */
    default Optional<WeightLayout> layout(WeightLayout.Weight weight) {
        return Optional.empty();
    }

    /**
     * Compiles the longest useful run of operations that begins at one of them. The operations of the list follow each other with no
     * exchange between ranks; the back end may compute several in one pass as long as every output that is in
     * {@link Region#needed()} holds what it would have held. What it does not take is computed by the operation's reference implementation.
     *
     * @param region the operations
     * @param from the first one that the kernel must compute
     * @return a kernel for the operations from there on, or empty if the back end does not implement that operation for these operands
     */
    Optional<CompiledKernel> compile(Region region, int from);

    /**
     * A run of operations without exchange.
     *
     * @param calls the operations, bound to memory
     * @param needed for each operation, whether its outputs are read outside of this region or by an observer; other outputs
     *     need not be written by a kernel that also computes all their readers
     */
    record Region(List<OpCall> calls, List<Boolean> needed) {
        /** Copies the lists. */
        public Region {
            calls = List.copyOf(calls);
            needed = List.copyOf(needed);
        }
    }

    /**
     * A kernel.
     *
     * @param kernel what runs
     * @param covers how many operations of the region it computes, at least 1
     * @param description for listings, for example {@code f32 avx512}
     */
    record CompiledKernel(Kernel kernel, int covers, String description) {}

    @Override
    void close();
}
