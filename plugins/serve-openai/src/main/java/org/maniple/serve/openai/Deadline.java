package org.maniple.serve.openai;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A point in time that may be moved often and is seldom reached. Used on one event loop only. */
final class Deadline {

    private static final long NEVER = Long.MAX_VALUE;

    private final EventLoop loop;
    private final Runnable action;
    private final long start = System.nanoTime();
    private long due = NEVER;
    private long scheduledFor = NEVER;
    private @Nullable Future<?> task;

    Deadline(EventLoop loop, Runnable action) {
        this.loop = loop;
        this.action = action;
    }

    void in(Duration time) {
        due = now() + time.toNanos();
        if (due < scheduledFor) {
            schedule();
        }
    }

    /** Later is cheap: the task that is already scheduled looks again. */
    void never() {
        due = NEVER;
    }

    void close() {
        due = NEVER;
        if (task != null) {
            task.cancel(false);
        }
    }

    private void schedule() {
        if (task != null) {
            task.cancel(false);
        }
        scheduledFor = due;
        task = loop.schedule(this::look, Math.max(0, due - now()), TimeUnit.NANOSECONDS);
    }

    private void look() {
        task = null;
        scheduledFor = NEVER;
        if (due == NEVER) {
            return;
        }
        if (now() >= due) {
            due = NEVER;
            action.run();
        } else {
            schedule();
        }
    }

    private long now() {
        return System.nanoTime() - start;
    }
}
