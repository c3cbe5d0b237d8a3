package org.maniple.kernel.unit;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;

/** Time as the life of a unit sees it: a source that tests replace. Never the wall clock, which may jump. */
public interface Ticker {

    /**
     * A moment.
     *
     * @return nanoseconds since some fixed moment
     */
    long nanos();

    /**
     * Waits until a condition is signalled or some time is over, or for no reason.
     *
     * @param condition of a lock that the caller holds
     * @param nanos how long at most
     * @throws InterruptedException if the thread is interrupted
     */
    void await(Condition condition, long nanos) throws InterruptedException;

    /**
     * The clock of the machine.
     *
     * @return a ticker
     */
    static Ticker system() {
        return new Ticker() {
            @Override
            public long nanos() {
                return System.nanoTime();
            }

            @Override
            @SuppressWarnings("WaitNotInLoop") // the callers loop
            public void await(Condition condition, long nanos) throws InterruptedException {
                condition.await(Math.max(nanos, 1), TimeUnit.NANOSECONDS);
            }
        };
    }
}
