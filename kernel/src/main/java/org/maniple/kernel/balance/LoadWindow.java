package org.maniple.kernel.balance;

import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Loads of the last steps, from counts that only grow. Rounds can begin only at multiples of an interval, so that it is known beforehand which
 * counts will be subtracted: only those are kept, a copy for each multiple that is less than a window ahead. Exact, and nothing is done in the
 * steps between. Used by the rank's own thread.
 */
final class LoadWindow {

    private final Consumer<long[]> counts;
    private final int window;
    private final int interval;
    private final long[][] kept;
    private final long[] now;

    /**
     * @param counts writes how often each expert has been used since the start
     * @param size how many experts there are, of all layers
     * @param window steps that are summed
     * @param interval sums are read at its multiples only
     */
    LoadWindow(Consumer<long[]> counts, int size, int window, int interval) {
        this.counts = counts;
        this.window = window;
        this.interval = interval;
        this.kept = new long[Math.ceilDiv(window, interval) + 1][size];
        this.now = new long[size];
    }

    /**
     * Is called before every step.
     *
     * @param step how many steps there were before
     */
    void before(long step) {
        if ((step + window) % interval == 0) {
            counts.accept(kept(step + window));
        }
    }

    /**
     * The loads of the last steps before a step.
     *
     * @param step a multiple of the interval, for which {@link #before} has been called
     * @return a sum for each expert
     */
    long[] sums(long step) {
        if (step % interval != 0) {
            throw new IllegalArgumentException("loads are known at multiples of " + interval + " steps, not at " + step);
        }
        counts.accept(now);
        long[] sums = now.clone();
        if (step > window) {
            long[] before = kept(step);
            Arrays.setAll(sums, i -> sums[i] - before[i]);
        }
        return sums;
    }

    private long[] kept(long step) {
        return kept[(int) (step / interval % kept.length)];
    }
}
