package org.maniple.kernel.link;

import org.maniple.api.transport.Wire;

/** Something that was begun on one of several wires. A frame is used again after it has been awaited. */
final class PairPending implements Wire.Pending {

    private Wire wire;
    private Wire.Pending inner;
    private boolean frame;

    PairPending(Wire wire, Wire.Pending inner) {
        this.wire = wire;
        this.inner = inner;
    }

    void begin(Wire newWire, Wire.Pending newInner, boolean isFrame) {
        wire = newWire;
        inner = newInner;
        frame = isFrame;
    }

    Wire wire() {
        return wire;
    }

    Wire.Pending inner() {
        return inner;
    }

    boolean frame() {
        return frame;
    }

    @Override
    public boolean done() {
        return inner.done();
    }

    @Override
    public long bytes() {
        return inner.bytes();
    }

    @Override
    public String toString() {
        return String.valueOf(inner);
    }
}
