package org.maniple.kernel.boot;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** How this rank's process ends: what is known about it, once, and who waits for it. Safe for use by several threads. */
final class Ending {

    /**
     * An end.
     *
     * @param exitCode of the process
     * @param reason a sentence
     */
    record End(int exitCode, String reason) {}

    private final AtomicReference<Optional<End>> end = new AtomicReference<>(Optional.empty());
    private final CountDownLatch known = new CountDownLatch(1);

    /** Sets the end, unless there is one; returns whether this is the one. */
    boolean set(int exitCode, String reason) {
        boolean first = end.compareAndSet(Optional.empty(), Optional.of(new End(exitCode, reason)));
        known.countDown();
        return first;
    }

    Optional<End> get() {
        return end.get();
    }

    End await() throws InterruptedException {
        known.await();
        return end.get().orElseThrow();
    }

    /** Waits for a while; whether the end is known then. */
    boolean await(Duration limit) {
        try {
            return known.await(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
