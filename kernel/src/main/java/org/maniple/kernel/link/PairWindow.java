package org.maniple.kernel.link;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.Window;
import org.maniple.api.transport.Wire;

/** A window of one of several wires, whose arrivals all of them together wait for. */
final class PairWindow implements Window {

    private final Wire wire;
    private final Window inner;
    private final @Nullable PairPending[] arrivals;

    PairWindow(Wire wire, Window inner, int ranks) {
        this.wire = wire;
        this.inner = inner;
        this.arrivals = new PairPending[ranks];
    }

    @Override
    public long bytes() {
        return inner.bytes();
    }

    @Override
    public MemorySegment own() {
        return inner.own();
    }

    @Override
    public void publish(long tag, long bytes, long written) {
        inner.publish(tag, bytes, written);
    }

    @Override
    public Wire.Pending arrival(int position) {
        Wire.Pending arrival = inner.arrival(position);
        PairPending pending = arrivals[position];
        if (pending == null) {
            pending = new PairPending(wire, arrival);
            arrivals[position] = pending;
        }
        pending.begin(wire, arrival, false);
        return pending;
    }

    @Override
    public MemorySegment of(int position) {
        return inner.of(position);
    }
}
