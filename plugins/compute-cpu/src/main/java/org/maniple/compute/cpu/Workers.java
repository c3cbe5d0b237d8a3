package org.maniple.compute.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The threads of a session: the caller and {@code threads - 1} workers, which take chunks of a task until none is left. Between
 * tasks workers spin for a while, since a step has hundreds of tasks that follow each other within microseconds, and then park. With
 * more threads than processors nobody spins.
 *
 * <p>{@link #run} allocates nothing. It may be called by one thread at a time.
 */
final class Workers implements AutoCloseable {

    /** What is split into chunks. */
    interface Task {
        /**
         * Computes a chunk.
         *
         * @param chunk counted from 0
         * @param thread which of the threads computes it, for its scratch memory; the caller is 0
         */
        void compute(int chunk, int thread);
    }

    private static final int SPINS = 20_000;

    private final Thread[] threads;
    private final AtomicInteger[] parked;
    private final int spins;
    /** The task's number in the upper half and how many of its chunks nobody has taken in the lower: one CAS takes a chunk. */
    private final AtomicLong open = new AtomicLong();
    private final AtomicInteger unfinished = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile @Nullable Task task;
    private volatile boolean closed;
    private final IntConsumer begin;
    /** The thread that called last; no thread has this number. */
    private long caller = -1;

    /** Threads that run where the system puts them. */
    Workers(int threads, int processors) {
        this(threads, processors, thread -> {});
    }

    /**
     * Threads.
     *
     * @param processors what they run on
     * @param begin called by each thread before it computes, with its number; by the caller too, and by another caller again
     */
    Workers(int threads, int processors, IntConsumer begin) {
        this.begin = begin;
        this.spins = threads <= processors ? SPINS : 0;
        this.threads = new Thread[threads - 1];
        this.parked = new AtomicInteger[threads - 1];
        for (int i = 0; i < threads - 1; i++) {
            int worker = i;
            parked[i] = new AtomicInteger();
            this.threads[i] = Thread.ofPlatform().daemon().name("maniple-cpu-" + (i + 1)).unstarted(() -> work(worker));
        }
        for (Thread thread : this.threads) {
            thread.start();
        }
    }

    /** Threads that compute, the caller included. */
    int threads() {
        return threads.length + 1;
    }

    /**
     * Computes all chunks of a task and returns when they are finished.
     *
     * @param task computes a chunk
     * @param chunks how many there are; may be 0
     * @param worthWaking whether the task is long enough to pay for other threads
     */
    void run(Task task, int chunks, boolean worthWaking) {
        long current = Thread.currentThread().threadId();
        if (caller != current) {
            caller = current;
            begin.accept(0);
        }
        if (threads.length == 0 || chunks < 2 || !worthWaking) {
            for (int i = 0; i < chunks; i++) {
                task.compute(i, 0);
            }
            return;
        }
        if (closed) {
            throw new IllegalStateException("the compute session is closed");
        }
        this.task = task;
        unfinished.set(chunks);
        long number = (open.get() >>> 32) + 1;
        open.set(number << 32 | chunks);
        for (int i = 0; i < threads.length; i++) {
            if (parked[i].get() != 0) {
                LockSupport.unpark(threads[i]);
            }
        }
        takeChunks(0);
        awaitOthers();
        Throwable thrown = failure.get();
        if (thrown != null) {
            failure.set(null);
            rethrow(thrown);
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // there may be more threads than processors, and then another one must run
    private void awaitOthers() {
        int spun = 0;
        while (unfinished.get() > 0) {
            if (spun < spins) {
                spun++;
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
    }

    private static void rethrow(Throwable thrown) {
        switch (thrown) {
            case RuntimeException exception -> throw exception;
            case Error error -> throw error;
            default -> throw new IllegalStateException(thrown);
        }
    }

    /** Takes chunks until the present task has none left. */
    private void takeChunks(int thread) {
        while (true) {
            long seen = open.get();
            int left = (int) seen;
            if (left == 0) {
                return;
            }
            Task current = task;
            // Succeeds only if the task that was read is still the one with chunks left: the caller cannot begin another before.
            if (current != null && open.compareAndSet(seen, seen - 1)) {
                try {
                    current.compute(left - 1, thread);
                } catch (RuntimeException | Error e) {
                    failure.compareAndSet(null, e);
                } finally {
                    unfinished.getAndDecrement();
                }
            }
        }
    }

    private void work(int worker) {
        begin.accept(worker + 1);
        int idle = 0;
        while (!closed) {
            if ((int) open.get() != 0) {
                takeChunks(worker + 1);
                idle = 0;
            } else if (idle < spins) {
                idle++;
                Thread.onSpinWait();
            } else {
                park(worker);
                idle = 0;
            }
        }
    }

    private void park(int worker) {
        parked[worker].set(1);
        while ((int) open.get() == 0 && !closed) {
            LockSupport.park(this);
        }
        parked[worker].set(0);
    }

    /** Ends the threads; a task must not be running. */
    @Override
    public void close() {
        closed = true;
        boolean interrupted = false;
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
            try {
                thread.join(5_000);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
