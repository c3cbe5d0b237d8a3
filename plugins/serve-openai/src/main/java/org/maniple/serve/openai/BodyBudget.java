package org.maniple.serve.openai;

import java.util.concurrent.atomic.AtomicLong;

/** Bytes that the bodies of all connections may take until they are read. Safe for use by several threads. */
final class BodyBudget {

    private final long limit;
    private final AtomicLong used = new AtomicLong();

    BodyBudget(long limit) {
        this.limit = limit;
    }

    /** Takes some; returns whether there were so many left. */
    boolean take(int bytes) {
        if (used.addAndGet(bytes) <= limit) {
            return true;
        }
        used.addAndGet(-bytes);
        return false;
    }

    void give(int bytes) {
        used.addAndGet(-bytes);
    }

    long used() {
        return used.get();
    }
}
