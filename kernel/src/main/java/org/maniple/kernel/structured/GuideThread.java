package org.maniple.kernel.structured;

import java.util.concurrent.ArrayBlockingQueue;

/** Does the work of guides while the engine's thread waits for its step. */
public final class GuideThread {

    private static final System.Logger LOG = System.getLogger(GuideThread.class.getName());

    private final ArrayBlockingQueue<Guide> queue;
    private final Thread thread;

    /**
     * A thread that is not started.
     *
     * @param places guides that may wait
     */
    public GuideThread(int places) {
        queue = new ArrayBlockingQueue<>(places);
        thread = Thread.ofPlatform().name("maniple-guide").daemon().unstarted(this::run);
    }

    /** Starts it. */
    public void start() {
        thread.start();
    }

    /** Ends it; what waits is not done any more. */
    public void stop() {
        thread.interrupt();
    }

    /**
     * Has a guide's work done soon, on the caller's thread if too many wait.
     *
     * @param guide a guide whose work is due
     */
    public void hand(Guide guide) {
        if (!queue.offer(guide)) {
            guide.work();
        }
    }

    private void run() {
        try {
            while (true) {
                queue.take().work();
            }
        } catch (InterruptedException stopped) {
            LOG.log(System.Logger.Level.DEBUG, "The guides' thread ends");
        }
    }
}
