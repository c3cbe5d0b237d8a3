package org.maniple.kernel.unit;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** A wait with a limit that says from time to time that it goes on. Used by one thread. */
final class Wait {

    /** How long a broken data link waits for the control link to say which rank is gone. */
    private static final Duration NEWS = Duration.ofSeconds(1);

    private final Ticker ticker;
    private final Duration limit;
    private final long start;
    private final long noticeEvery;
    private long nextNotice;

    Wait(Ticker ticker, Duration limit, Duration noticeEvery) {
        this.ticker = ticker;
        this.limit = limit;
        this.start = ticker.nanos();
        this.noticeEvery = noticeEvery.toNanos();
        this.nextNotice = this.noticeEvery;
    }

    /** Waits a moment for news of a rank that is gone. Returns whether it came. */
    static boolean forEnd(Ending ending, ReentrantLock lock, Condition changed, Ticker ticker) {
        lock.lock();
        try {
            Wait wait = new Wait(ticker, NEWS, NEWS);
            while (!ending.ended() && !wait.over()) {
                wait.await(changed);
            }
            return ending.ended();
        } finally {
            lock.unlock();
        }
    }

    boolean over() {
        return elapsed() >= limit.toNanos();
    }

    /** Whether something else with the same limit may have given up a little earlier. */
    boolean nearlyOver() {
        return elapsed() >= limit.toNanos() / 10 * 9;
    }

    /** Whether it is time to say something; then not again until the next period. */
    boolean noticeDue() {
        if (elapsed() < nextNotice) {
            return false;
        }
        nextNotice += noticeEvery * Math.max(1, (elapsed() - nextNotice) / noticeEvery + 1);
        return true;
    }

    /** Waits for a signal, the next notice, the limit, or some nanoseconds, whichever comes first. */
    void await(Condition condition, long atMost) {
        long nanos = Math.min(Math.min(limit.toNanos(), nextNotice) - elapsed(), atMost);
        try {
            if (nanos > 0) {
                ticker.await(condition, nanos);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnitFailedException("interrupted while waiting for other ranks", e);
        }
    }

    void await(Condition condition) {
        await(condition, Long.MAX_VALUE);
    }

    /** For example {@code 10 s}. */
    String elapsedText() {
        return seconds(Duration.ofNanos(elapsed()));
    }

    /** For example {@code 10 s of 60 s}. */
    String progressText() {
        return elapsedText() + " of " + limitText();
    }

    String limitText() {
        return seconds(limit);
    }

    static String seconds(Duration duration) {
        long millis = duration.toMillis();
        return millis < 1000 && millis > 0 ? millis + " ms" : millis / 1000 + " s";
    }

    private long elapsed() {
        return ticker.nanos() - start;
    }
}
