package org.maniple.testkit;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Counts what code allocates on the heap. */
public final class Allocation {

    private static final int RUNS_UNTIL_COMPILED = 30;

    private Allocation() {}

    /**
     * What some code allocates on the calling thread. Counts of a few kilobytes may be the JVM's own.
     *
     * @param code run once
     * @return bytes
     */
    public static long bytesOf(Runnable code) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        code.run();
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    /**
     * What some code allocates on the calling thread once the JVM has compiled it, which it does beside the code, on a busy machine late. The code runs as
     * often in any case, so that ranks that need each other can all call this.
     *
     * @param code run many times
     * @return bytes of the run that allocated the least
     */
    public static long leastOf(Runnable code) {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < RUNS_UNTIL_COMPILED; i++) {
            least = Math.min(least, bytesOf(code));
        }
        return least;
    }
}
