package org.maniple.kernel.boot;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/**
 * Something that is made while other things are done, on a thread of its own that does not keep the process alive.
 *
 * @param <T> what is made
 */
final class Background<T> {

    private final FutureTask<T> task;

    private Background(FutureTask<T> task) {
        this.task = task;
    }

    /** Begins to make it. */
    static <T> Background<T> start(String name, Supplier<T> maker) {
        var background = new Background<>(new FutureTask<>(maker::get));
        Thread.ofPlatform().name(name).daemon().start(background.task);
        return background;
    }

    /** Waits until it is there; throws what making it threw. */
    T get() throws InterruptedException {
        try {
            return task.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException exception -> throw exception;
                case Error error -> throw error;
                case null, default -> throw new IllegalStateException(e);
            }
        }
    }
}
