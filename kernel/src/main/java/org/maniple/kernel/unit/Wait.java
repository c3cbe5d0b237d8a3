package org.maniple.kernel.unit;

import java.time.Duration;
import java.util.concurrent.locks.Condition;

/** A wait with a limit that says from time to time that it goes on. Used by one thread. */
final class Wait {

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

    boolean over() {
        return elapsed() >= limit.toNanos();
    }

    /** Whether it is time to say something; then not again until the next period. */
    boolean noticeDue() {
        if (elapsed() < nextNotice) {
            return false;
        }
        nextNotice += noticeEvery * Math.max(1, (elapsed() - nextNotice) / noticeEvery + 1);
        return true;
    }

    /** Waits for a signal, the next notice, the limit, or some moment, whichever comes first. */
    void await(Condition condition, long untilNanos) {
        long nanos = Math.min(Math.min(limit.toNanos(), nextNotice) - elapsed(), untilNanos - ticker.nanos());
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
        await(condition, ticker.nanos() + limit.toNanos());
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
