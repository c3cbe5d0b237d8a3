package org.maniple.transport.rdma;

import java.util.function.LongConsumer;

/** The last message in each direction of a link: that nothing follows. */
final class Goodbye {

    private static final long NONE = 0;

    private final Worker worker;
    private final long endpoint;
    private final long address;
    private final long outgoing;
    private long expected;
    private long saying;
    private long flushing;
    private boolean said;

    /**
     * Begins to listen for it.
     *
     * @param address of 8 bytes
     * @param outgoing the tag of the own one
     * @param incoming the tag of the peer's
     */
    Goodbye(Worker worker, long endpoint, long address, long outgoing, long incoming) throws UcxException {
        this.worker = worker;
        this.endpoint = endpoint;
        this.address = address;
        this.outgoing = outgoing;
        this.expected = worker.receive(address, Long.BYTES, incoming, worker.plain());
        this.said = expected == NONE;
    }

    /** Whether the peer has said it. */
    boolean said() {
        if (expected != NONE && worker.over(expected)) {
            expected = NONE;
            said = true;
        }
        return said;
    }

    void say() {
        try {
            saying = worker.send(endpoint, address, 0, outgoing, worker.plain());
            flushing = worker.flush(endpoint);
        } catch (UcxException e) {
            // The peer is gone already.
        }
    }

    /** Whether the own one has left, if it was said. */
    boolean left() {
        if (saying != NONE && worker.over(saying)) {
            saying = NONE;
        }
        if (flushing != NONE && worker.over(flushing)) {
            flushing = NONE;
        }
        return saying == NONE && flushing == NONE;
    }

    void forget(LongConsumer request) {
        for (long under : new long[] {expected, saying, flushing}) {
            if (under != NONE) {
                request.accept(under);
            }
        }
        expected = NONE;
        saying = NONE;
        flushing = NONE;
    }
}
