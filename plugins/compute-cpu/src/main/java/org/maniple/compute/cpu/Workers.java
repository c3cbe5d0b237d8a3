package org.maniple.compute.cpu;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The threads of a session: the caller and {@code threads - 1} workers. Each has a share of a task's chunks that follow each other, and when these are
 * done takes what others have left. Between tasks workers spin for a while, since a step has hundreds of tasks that follow each other within
 * microseconds, and then park. With more threads than processors nobody spins.
 *
 * <p>What threads tell each other lies on cache lines of its own: a line that two threads write costs each of them more than a small chunk does.
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
    /** Longs between two that different threads write: processors fetch pairs of cache lines. */
    private static final int APART = 16;
    /** The number of the task that was begun last. */
    private static final int BEGUN = APART;
    /** How many chunks of it are not finished. */
    private static final int UNFINISHED = 2 * APART;
    /** Of each thread: a task's number in the upper half, and how many chunks of the thread's share nobody has taken in the lower; one CAS takes one. */
    private static final int SHARES = 3 * APART;

    private final Thread[] threads;
    private final int spins;
    private final AtomicLongArray state;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile @Nullable Task task;
    /** Of that task; written before any share of it is. */
    private int chunks;
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
        this.state = new AtomicLongArray(SHARES + 2 * threads * APART);
        for (int i = 0; i < threads - 1; i++) {
            int thread = i + 1;
            this.threads[i] = Thread.ofPlatform().daemon().name("maniple-cpu-" + thread).unstarted(() -> work(thread));
        }
        for (Thread thread : this.threads) {
            thread.start();
        }
    }

    private static int share(int thread) {
        return SHARES + thread * APART;
    }

    /** Whether a thread is parked: 1, or 0. */
    private int parked(int thread) {
        return SHARES + (threads() + thread) * APART;
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
        publish(task, chunks);
        takeChunks(0);
        awaitOthers();
        Throwable thrown = failure.get();
        if (thrown != null) {
            failure.set(null);
            rethrow(thrown);
        }
    }

    private void publish(Task task, int chunks) {
        long number = state.get(BEGUN) + 1;
        this.chunks = chunks;
        this.task = task;
        state.setRelease(UNFINISHED, chunks);
        for (int thread = 0; thread <= threads.length; thread++) {
            state.setRelease(share(thread), number << 32 | (first(thread + 1, chunks) - first(thread, chunks)));
        }
        state.set(BEGUN, number);
        for (int thread = 1; thread <= threads.length; thread++) {
            if (state.get(parked(thread)) != 0) {
                LockSupport.unpark(threads[thread - 1]);
            }
        }
    }

    /** The first chunk of a thread's share. */
    private int first(int thread, int chunks) {
        return (int) ((long) chunks * thread / threads());
    }

    @SuppressWarnings("ThreadPriorityCheck") // there may be more threads than processors, and then another one must run
    private void awaitOthers() {
        int spun = 0;
        while (state.get(UNFINISHED) > 0) {
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

    /** Takes the chunks of a thread's share, and then those of others, until there are none. */
    private void takeChunks(int thread) {
        int done = 0;
        for (int i = 0; i <= threads.length; i++) {
            int owner = thread + i;
            done += takeChunks(owner <= threads.length ? owner : owner - threads.length - 1, thread);
        }
        if (done > 0) {
            state.getAndAdd(UNFINISHED, -done);
        }
    }

    private int takeChunks(int owner, int thread) {
        int done = 0;
        while (true) {
            long seen = state.get(share(owner));
            int left = (int) seen;
            if (left == 0) {
                return done;
            }
            Task current = task;
            int all = chunks;
            // Succeeds only if what was read is still of the task with chunks left: the caller cannot begin another before.
            if (current != null && state.compareAndSet(share(owner), seen, seen - 1)) {
                try {
                    current.compute(first(owner + 1, all) - left, thread);
                } catch (RuntimeException | Error e) {
                    failure.compareAndSet(null, e);
                }
                done++;
            }
        }
    }

    private void work(int thread) {
        begin.accept(thread);
        long seen = 0;
        int idle = 0;
        while (!closed) {
            long begun = state.get(BEGUN);
            if (begun != seen) {
                seen = begun;
                takeChunks(thread);
                idle = 0;
            } else if (idle < spins) {
                idle++;
                Thread.onSpinWait();
            } else {
                park(thread, seen);
                idle = 0;
            }
        }
    }

    private void park(int thread, long seen) {
        state.set(parked(thread), 1);
        while (state.get(BEGUN) == seen && !closed) {
            LockSupport.park(this);
        }
        state.set(parked(thread), 0);
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
