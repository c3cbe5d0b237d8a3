package org.maniple.kernel.unit;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;

/** A clock on which time passes only while somebody waits, and then at once, so that minutes take milliseconds. */
final class LeapingTicker implements Ticker {

    private final AtomicLong now = new AtomicLong();
    private volatile boolean held;

    /** Time stands still until {@link #release}. */
    LeapingTicker held() {
        held = true;
        return this;
    }

    void release() {
        held = false;
    }

    @Override
    public long nanos() {
        return now.get();
    }

    @Override
    public void await(Condition condition, long nanos) throws InterruptedException {
        if (!condition.await(20, TimeUnit.MILLISECONDS) && !held) {
            now.addAndGet(nanos);
        }
    }
}
