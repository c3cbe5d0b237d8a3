package org.maniple.kernel.execute;

import java.lang.foreign.MemorySegment;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.maniple.api.collective.Communicator;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.transport.Wire;

/**
 * Sends rows of a tensor to another rank while this one goes on: they are copied to memory of their own, of which there are two, so that
 * the next batch can be computed while this one is on its way.
 */
final class StageLink {

    private static final int COPIES = 2;

    private final Communicator communicator;
    private final int peer;
    private final Tensor tensor;
    private final RowSlices[] copies = new RowSlices[COPIES];
    private final Wire.@Nullable Pending[] pending = new Wire.Pending[COPIES];
    private int next;

    StageLink(Communicator communicator, int peer, Tensor tensor, LongFunction<MemorySegment> memory) {
        this.communicator = communicator;
        this.peer = peer;
        this.tensor = tensor;
        long rowBytes = (long) tensor.width() * tensor.dtype().bytes();
        for (int i = 0; i < COPIES; i++) {
            copies[i] = new RowSlices(memory.apply(rowBytes * tensor.extent(0)), rowBytes, tensor.extent(0));
        }
    }

    /** Whether something that was sent may still be on its way. */
    boolean busy() {
        for (int i = 0; i < COPIES; i++) {
            Wire.Pending sent = pending[i];
            if (sent != null && !sent.done()) {
                return true;
            }
        }
        return false;
    }

    void send() {
        Wire.Pending before = pending[next];
        if (before != null) {
            communicator.await(before);
        }
        MemorySegment copy = copies[next].first(tensor.rows());
        MemorySegment.copy(tensor.segment(), 0, copy, 0, copy.byteSize());
        pending[next] = communicator.send(peer, copy);
        next = (next + 1) % COPIES;
    }
}
