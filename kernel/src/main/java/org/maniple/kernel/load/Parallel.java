package org.maniple.kernel.load;

import java.util.ArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.maniple.api.ManipleException;
import org.maniple.api.checkpoint.CheckpointException;

/** Does pieces of work by several threads. */
final class Parallel {

    private Parallel() {}

    /** A piece of work. */
    @FunctionalInterface
    interface Work {
        void run(int index);
    }

    /**
     * The calling thread and others take pieces until all are done; what one of them throws is thrown here.
     *
     * @param threads at most
     * @param pieces how many
     */
    static void run(int threads, int pieces, Work work) {
        var next = new AtomicInteger();
        Runnable all = () -> {
            for (int index = next.getAndIncrement(); index < pieces; index = next.getAndIncrement()) {
                work.run(index);
            }
        };
        var tasks = new ArrayList<FutureTask<Void>>();
        for (int i = 1; i < Math.min(threads, pieces); i++) {
            var task = new FutureTask<Void>(all, null);
            tasks.add(task);
            Thread.ofPlatform().name("load-" + i).daemon().start(task);
        }
        try {
            all.run();
        } finally {
            tasks.forEach(Parallel::await);
        }
    }

    private static void await(FutureTask<Void> task) {
        try {
            task.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof ManipleException known
                    ? known
                    : new CheckpointException("weights cannot be loaded: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CheckpointException("weights are no longer loaded, because this rank ends", e);
        }
    }
}
