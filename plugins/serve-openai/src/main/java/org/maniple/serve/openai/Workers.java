package org.maniple.serve.openai;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads that parse bodies, render templates and tokenize, so that no event loop does. Few, since the work is all computation,
 * and with a bounded queue, since a queue that only grows serves nobody.
 */
final class Workers implements AutoCloseable {

    private static final int QUEUE = 512;

    private final ThreadPoolExecutor executor;

    Workers(int threads) {
        executor = new ThreadPoolExecutor(threads, threads, 1, TimeUnit.MINUTES, new ArrayBlockingQueue<>(QUEUE),
                Thread.ofPlatform().daemon().name("openai-worker-", 0).factory());
    }

    /**
     * Runs a task soon.
     *
     * @throws ApiException 503 if too many tasks wait
     */
    void execute(Runnable task) {
        try {
            executor.execute(task);
        } catch (RejectedExecutionException e) {
            throw ApiException.later(1, "Too many requests wait to be read; try again.");
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
