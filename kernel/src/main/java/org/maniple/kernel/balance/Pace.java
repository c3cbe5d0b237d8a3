package org.maniple.kernel.balance;

import java.util.concurrent.locks.LockSupport;

/**
 * Keeps work in the background from taking a processor away from steps: after each piece of work it rests for at least as long, and it begins with a
 * rest, since whoever gave it work is in the middle of a step. Used by one thread; an interrupted one does not rest.
 */
final class Pace {

    private static final long LEAST_NANOS = 1_000_000;

    private long since;

    Pace() {
        LockSupport.parkNanos(LEAST_NANOS);
        since = System.nanoTime();
    }

    /** A piece of work is done. */
    void rest() {
        LockSupport.parkNanos(Math.max(LEAST_NANOS, System.nanoTime() - since));
        since = System.nanoTime();
    }
}
