package org.maniple.kernel.engine;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.function.Consumer;

/**
 * Delivers events. A request is in the queue at most once, and the engine takes no more requests than the queue has places: so handing
 * over never waits.
 */
final class OutputThread {

    private static final System.Logger LOG = System.getLogger(OutputThread.class.getName());

    private final ArrayBlockingQueue<Sequence> queue;
    private final Consumer<Sequence> whenDone;
    private final Thread thread;

    /**
     * A thread that is not started.
     *
     * @param places requests that there can be
     * @param whenDone called on this thread after a request's last event
     */
    OutputThread(int places, Consumer<Sequence> whenDone) {
        queue = new ArrayBlockingQueue<>(places);
        this.whenDone = whenDone;
        thread = Thread.ofPlatform().name("maniple-output").daemon().unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    void stop() {
        thread.interrupt();
    }

    /** Says that there is something new about a request. */
    void wake(Sequence sequence) {
        if (sequence.output.enqueue() && !queue.offer(sequence)) {
            throw new IllegalStateException("The output queue has " + queue.size() + " requests, more than the engine takes");
        }
    }

    private void run() {
        try {
            while (true) {
                deliver(queue.take());
            }
        } catch (InterruptedException stopped) {
            LOG.log(System.Logger.Level.DEBUG, "The output thread ends");
        }
    }

    /** Whatever goes wrong with one request, the others get their events. */
    private void deliver(Sequence sequence) {
        boolean last;
        try {
            last = sequence.output.deliver();
        } catch (RuntimeException | Error failure) {
            LOG.log(
                    System.Logger.Level.ERROR,
                    "Request " + sequence.request.id() + " is dropped: its events cannot be delivered",
                    failure);
            last = abandon(sequence);
        }
        if (last) {
            whenDone.accept(sequence);
        }
    }

    private static boolean abandon(Sequence sequence) {
        try {
            return sequence.output.abandon("The output of this request cannot be delivered; the log of rank 0 says why");
        } catch (RuntimeException | Error again) {
            LOG.log(System.Logger.Level.DEBUG, "The listener refuses the last event too", again);
            return true;
        }
    }
}
