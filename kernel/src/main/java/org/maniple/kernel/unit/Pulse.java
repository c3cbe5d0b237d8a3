package org.maniple.kernel.unit;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/** A thread that does something small again and again, so that a rank deep in a long prefill still shows that it lives. */
final class Pulse {

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition stopping = lock.newCondition();
    private final Ticker ticker;
    private final Duration every;
    private final Runnable beat;
    private final Consumer<String> broken;
    private boolean stopped;

    /** @param broken is told once, if the thread cannot go on */
    Pulse(Ticker ticker, Duration every, Runnable beat, Consumer<String> broken) {
        this.ticker = ticker;
        this.every = every;
        this.beat = beat;
        this.broken = broken;
    }

    void start() {
        Thread.ofPlatform().name("unit-pulse").daemon(true).start(this::run);
    }

    void stop() {
        lock.lock();
        try {
            stopped = true;
            stopping.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        try {
            while (pause()) {
                beat.run();
            }
        } catch (RuntimeException e) {
            // Others would only see silence.
            broken.accept("failed: its heartbeat broke off: " + e);
        }
    }

    private boolean pause() {
        lock.lock();
        try {
            long end = ticker.nanos() + every.toNanos();
            for (long left = every.toNanos(); !stopped && left > 0; left = end - ticker.nanos()) {
                ticker.await(stopping, left);
            }
            return !stopped;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            lock.unlock();
        }
    }
}
