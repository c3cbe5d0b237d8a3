package org.maniple.kernel.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.maniple.api.ManipleException;

/** How fast threads together read memory that no cache holds. Used by one thread. */
public final class ReadBandwidth implements AutoCloseable {

    private static final int PASSES = 3;
    private static final int LINE = 8;

    private final long[][] memory;
    private final ExecutorService threads;
    private long sink;

    /**
     * Takes memory.
     *
     * @param threads that read
     * @param bytes of all of them together
     */
    public ReadBandwidth(int threads, long bytes) {
        this.memory = new long[threads][Math.toIntExact(bytes / Long.BYTES / threads)];
        for (long[] part : memory) {
            // Pages that were never written may all be one page of zeros.
            java.util.Arrays.fill(part, 1);
        }
        this.threads = Executors.newFixedThreadPool(threads);
        for (int i = 0; i < PASSES; i++) {
            pass();
        }
    }

    /**
     * Reads everything some times.
     *
     * @return bytes per second of the best pass
     */
    public double measure() {
        double best = 0;
        for (int i = 0; i < PASSES; i++) {
            best = Math.max(best, pass());
        }
        return best;
    }

    private double pass() {
        long begin = System.nanoTime();
        List<Future<Long>> sums = new ArrayList<>();
        for (long[] part : memory) {
            sums.add(threads.submit(() -> sum(part)));
        }
        try {
            for (Future<Long> one : sums) {
                sink += one.get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ManipleException("interrupted while the memory's bandwidth was measured", e);
        } catch (ExecutionException e) {
            throw new ManipleException("the memory's bandwidth cannot be measured: " + e.getCause(), e);
        }
        long nanos = System.nanoTime() - begin;
        if (sink == 0) {
            throw new IllegalStateException("nothing was read");
        }
        return 8e9 * memory.length * memory[0].length / nanos;
    }

    /** One word of each cache line: the memory brings whole lines, and to add them all up would take longer than that. */
    private static long sum(long[] values) {
        long sum = 0;
        for (int i = 0; i < values.length; i += LINE) {
            sum += values[i];
        }
        return sum;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
