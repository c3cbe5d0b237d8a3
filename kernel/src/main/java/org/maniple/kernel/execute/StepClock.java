package org.maniple.kernel.execute;

import java.util.function.LongSupplier;
import org.maniple.api.engine.UnitStatus.StepTimes;

/** Adds up where the time of a rank's steps goes. Written by the rank's own thread, read by any. */
public final class StepClock {

    private volatile long steps;
    private volatile long halved;
    private volatile long compute;
    private volatile long communication;
    private volatile long waiting;
    private LongSupplier waited = () -> 0;
    private long waitedBefore;

    /** Nothing done yet. */
    StepClock() {}

    /**
     * Where the time in which nothing moves is known from; without it, all of an exchange counts as communication. Called before the first step.
     *
     * @param nanos how long the rank's thread has waited so far
     */
    public void waiting(LongSupplier nanos) {
        waited = nanos;
    }

    void begin() {
        waitedBefore = waited.getAsLong();
    }

    /**
     * A step is done.
     *
     * @param all how long it took
     * @param exchanging how much of that was spent in exchanges
     * @param inHalves whether it was computed in two halves
     */
    @SuppressWarnings("NonAtomicVolatileUpdate") // only one thread writes
    void end(long all, long exchanging, boolean inHalves) {
        long idle = Math.min(exchanging, waited.getAsLong() - waitedBefore);
        compute += all - exchanging;
        communication += exchanging - idle;
        waiting += idle;
        halved += inHalves ? 1 : 0;
        steps++;
    }

    /**
     * What has been added up.
     *
     * @return perhaps in the middle of a change: then one of the times lacks the last step
     */
    public StepTimes times() {
        return new StepTimes(steps, compute, communication, waiting, halved);
    }
}
