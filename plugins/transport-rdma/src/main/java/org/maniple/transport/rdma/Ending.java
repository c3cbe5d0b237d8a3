package org.maniple.transport.rdma;

import java.util.ArrayList;
import java.util.List;

/** Brings requests to their ends, whatever these are. */
final class Ending {

    private static final long NONE = 0;

    private final Worker worker;
    private final List<Long> under = new ArrayList<>();

    Ending(Worker worker) {
        this.worker = worker;
    }

    void add(long request) {
        under.add(request);
    }

    void cancel(long request) {
        worker.cancel(request);
        under.add(request);
    }

    /** Ends the way to a peer at once. */
    void end(long endpoint) {
        try {
            long request = worker.end(endpoint);
            if (request != NONE) {
                under.add(request);
            }
        } catch (UcxException e) {
            // It has ended already.
        }
    }

    /** Drives the worker until all are over, or the time is. */
    void await(long nanos) {
        long start = System.nanoTime();
        do {
            worker.progress();
            under.removeIf(worker::over);
        } while (!under.isEmpty() && System.nanoTime() - start < nanos);
    }
}
