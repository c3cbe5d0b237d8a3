package org.maniple.testkit;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Counts what code allocates on the heap. */
public final class Allocation {

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
}
