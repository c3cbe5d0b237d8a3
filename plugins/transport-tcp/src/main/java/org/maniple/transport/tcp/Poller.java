package org.maniple.transport.tcp;

import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoHandlerFactory;
import io.netty.util.concurrent.ThreadAwareExecutor;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets the thread that drives a wire sleep until a socket can be read or written. It is Netty's I/O handler without an event loop around
 * it: there are no tasks, and whichever thread waits is the right one.
 */
final class Poller {

    /** Wakes up now and then in any case, and looks. */
    private static final long LONGEST_NANOS = 1_000_000_000;

    private final Caller caller = new Caller();
    private final IoHandler handler;
    private final Context context;
    private boolean closed;

    Poller(IoHandlerFactory factory, BooleanSupplier mayBlock) {
        this.handler = factory.newHandler(caller);
        this.context = new Context(mayBlock);
        handler.initialize();
    }

    IoHandler handler() {
        return handler;
    }

    /** Waits until something may have happened. */
    void await(long nanos) {
        caller.thread = Thread.currentThread();
        context.deadline = System.nanoTime() + Math.min(nanos, LONGEST_NANOS);
        handler.run(context);
    }

    /** Ends the wait; for any thread. */
    synchronized void wakeup() {
        if (!closed) {
            handler.wakeup();
        }
    }

    synchronized void close() {
        closed = true;
        handler.destroy();
    }

    /** Whichever thread waited last is the one to do the work; others have to wake it up. */
    private static final class Caller implements ThreadAwareExecutor {
        private volatile @Nullable Thread thread;

        @Override
        public boolean isExecutorThread(Thread other) {
            return other.equals(thread);
        }

        @Override
        public void execute(Runnable task) {
            task.run();
        }
    }

    private static final class Context implements IoHandlerContext {
        private final BooleanSupplier mayBlock;
        private long deadline;

        Context(BooleanSupplier mayBlock) {
            this.mayBlock = mayBlock;
        }

        @Override
        public boolean canBlock() {
            return mayBlock.getAsBoolean();
        }

        @Override
        public long delayNanos(long now) {
            return Math.max(0, deadline - now);
        }

        @Override
        public long deadlineNanos() {
            return deadline;
        }
    }
}
