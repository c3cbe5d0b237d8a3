package org.maniple.transport.tcp;

import org.maniple.api.PluginContext;

/**
 * How a thread waits for a frame: it looks again and again, then lets others run in between, then sleeps until a socket can be read.
 *
 * <p>Sleeping costs both sides: who is woken up answers late, and the other one has fallen asleep in the meantime. So a thread with a processor
 * of its own looks for much longer than waking up takes, one that shares a processor for as long and only with breaks. But when somebody else gets the processor of a thread that looks, it is gone for a whole
 * time slice, and the frame waits. That is noticed as time missing between two looks. While the slices lost cost more than sleeping would,
 * threads sleep at once, and try again later.
 *
 * <p>For use by one thread.
 */
final class WaitStrategy {

    /** Without a system call more than looking takes: most frames come within this time. */
    static final long SPIN_NANOS = 500_000;
    /** Waking up then costs a few percent of the wait at most. */
    static final long LOOK_NANOS = 2_000_000;
    /** Where ranks share processors: only with breaks, in which the one that is waited for may run, and about as long as waking up takes. */
    static final long POLITE_NANOS = 100_000;
    /** More time than a look takes, or a small task of another thread. */
    static final long SLICE_NANOS = 1_000_000;
    /** Costs of falling asleep and being woken up. */
    static final long SLEEP_COSTS_NANOS = 100_000;
    /** How many waits a lost slice is spread over. */
    static final int MEMORY = 64;
    /** How many waits are slept through at once before looking is tried again; doubled each time that it does not pay. */
    static final int SHORTEST_REST = 256;
    static final int LONGEST_REST = 4096;

    private static final String THREADS = "threads";

    private final int ranks;
    private final int threads;
    private final int processors;
    private long looked;
    private long lostPerWait;
    private long waits;
    private long restsUntil = -SHORTEST_REST;
    private int rest = SHORTEST_REST;

    /**
     * What suits a host.
     *
     * @param ranks how many ranks share it
     * @param threads how many threads of each rank compute
     * @param processors how many processors they may use
     */
    WaitStrategy(int ranks, int threads, int processors) {
        this.ranks = ranks;
        this.threads = threads;
        this.processors = processors;
    }

    static WaitStrategy of(int ranks, PluginContext context) {
        boolean known = context.settings().declared(THREADS) && context.settings().has(THREADS);
        return new WaitStrategy(ranks, known ? context.settings().integer(THREADS) : 1, context.host().processors());
    }

    /** Whether each thread of the ranks has a processor. */
    boolean looks() {
        return (long) ranks * threads <= processors;
    }

    /** A wait begins. */
    void begin(long now) {
        waits++;
        lostPerWait -= lostPerWait / MEMORY;
        looked = now;
    }

    /** Something other than looking has taken time until now. */
    void resume(long now) {
        looked = now;
    }

    /**
     * One step of waiting; whether it is time to sleep.
     *
     * @param now the time
     * @param since since when nothing has moved
     */
    @SuppressWarnings("ThreadPriorityCheck") // nothing depends on it but who gets the processor
    boolean sleepNow(long now, long since) {
        if (waits < restsUntil) {
            return true;
        }
        long missing = now - looked;
        looked = now;
        if (missing > SLICE_NANOS) {
            lose(missing);
        }
        long waited = now - since;
        if (waited >= (looks() ? LOOK_NANOS : POLITE_NANOS)) {
            return true;
        }
        if (looks() && waited < SPIN_NANOS) {
            Thread.onSpinWait();
        } else {
            Thread.yield();
        }
        return false;
    }

    private void lose(long nanos) {
        lostPerWait += nanos / MEMORY;
        if (lostPerWait > SLEEP_COSTS_NANOS) {
            // Soon after the last time: it was too early to try again.
            rest = waits - restsUntil < rest ? Math.min(2 * rest, LONGEST_REST) : SHORTEST_REST;
            restsUntil = waits + rest;
            lostPerWait = 0;
        }
    }

    @Override
    public String toString() {
        String why = ranks + (ranks == 1 ? " rank" : " ranks") + " with " + threads + (threads == 1 ? " thread" : " threads")
                + " each on "
                + processors + (processors == 1 ? " processor" : " processors");
        return looks()
                ? "waiting ranks look for " + LOOK_NANOS / 1_000_000 + " ms before they sleep (" + why + ")"
                : "waiting ranks sleep after " + POLITE_NANOS / 1_000 + " µs (" + why + ")";
    }
}
