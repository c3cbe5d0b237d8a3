package org.maniple.transport.tcp;

/**
 * How a thread waits for a frame: it looks again and again, then lets others run in between, then sleeps until a socket can be read.
 *
 * @param spinNanos how long to look without a break
 * @param yieldNanos how long after that to look with breaks
 */
record WaitStrategy(long spinNanos, long yieldNanos) {

    /** About as long as waking a sleeping thread takes. */
    private static final long SPIN_NANOS = 20_000;
    private static final long YIELD_NANOS = 20_000;

    /** Sleeps at once: whom one waits for may need the processor. */
    static final WaitStrategy SLEEP = new WaitStrategy(0, 0);

    /**
     * What suits a host.
     *
     * @param ranks how many ranks share it
     * @param processors how many processors they may use
     */
    static WaitStrategy of(int ranks, int processors) {
        return ranks <= processors ? new WaitStrategy(SPIN_NANOS, YIELD_NANOS) : SLEEP;
    }

    /** One step of waiting; whether it is time to sleep. */
    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it but who gets the processor
    boolean sleepAfter(long waitedNanos) {
        if (waitedNanos < spinNanos) {
            Thread.onSpinWait();
            return false;
        }
        if (waitedNanos < spinNanos + yieldNanos) {
            Thread.yield();
            return false;
        }
        return true;
    }
}
