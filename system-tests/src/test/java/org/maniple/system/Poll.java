package org.maniple.system;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Looks again and again until something has come to be. The attempts are counted and not the clock, so that a machine that stands still for a
 * while does not use up the patience.
 */
final class Poll {

    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final int ATTEMPTS = 600;

    private Poll() {}

    /** The first value that is as wished, or the last one that is not. */
    static <T> T until(Supplier<T> look, Predicate<T> wished) {
        T seen = look.get();
        for (int attempt = 0; attempt < ATTEMPTS && !wished.test(seen); attempt++) {
            LockSupport.parkNanos(PAUSE.toNanos());
            seen = look.get();
        }
        return seen;
    }
}
