package org.maniple.kernel.engine;

import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.maniple.api.engine.EngineObserver;
import org.maniple.api.engine.UnitStatus;
import org.maniple.api.engine.UnitStatus.HomeStatus;

/**
 * A line about each group of ranks from time to time while there is something to do, in vLLM's words, since people and programs know how to read
 * these. Safe for use by several threads.
 */
public final class StatisticsLog implements EngineObserver, AutoCloseable {

    private static final System.Logger LOG = System.getLogger(StatisticsLog.class.getName());
    private static final long INTERVAL_SECONDS = 10;

    private final Supplier<UnitStatus> status;
    private final Consumer<String> lines;
    private final Counts[] homes;
    private final ScheduledExecutorService worker = Executors
            .newSingleThreadScheduledExecutor(Thread.ofPlatform().name("maniple-statistics").daemon().factory());
    // Used by whoever reports, one at a time.
    private long last;

    /**
     * A log that counts from now on but does not print yet.
     *
     * @param homes how many groups of ranks there are
     * @param status how the unit is
     * @param lines where lines go
     * @param now the time, as {@link System#nanoTime} has it
     */
    public StatisticsLog(int homes, Supplier<UnitStatus> status, Consumer<String> lines, long now) {
        this.status = status;
        this.lines = lines;
        this.homes = new Counts[homes];
        for (int home = 0; home < homes; home++) {
            this.homes[home] = new Counts();
        }
        last = now;
    }

    /** Prints from now on, every 10 s. Called once. */
    @SuppressWarnings("FutureReturnValueIgnored") // what it does throws nothing
    public void start() {
        worker.scheduleAtFixedRate(this::reportSafely, INTERVAL_SECONDS, INTERVAL_SECONDS, TimeUnit.SECONDS);
    }

    /** An exception would end the repetition without a word. */
    private void reportSafely() {
        try {
            report(System.nanoTime());
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "Statistics cannot be logged", e);
        }
    }

    @Override
    public void firstToken(int home, int promptTokens, long nanos) {
        homes[home].prompt.add(promptTokens);
        homes[home].output.increment();
    }

    @Override
    public void nextToken(int home, long nanos) {
        homes[home].output.increment();
    }

    @Override
    public void speculated(int home, int tokens, int accepted) {
        homes[home].drafts.increment();
        homes[home].drafted.add(tokens);
        homes[home].accepted.add(accepted);
    }

    /** Prints what has happened since the last time; nothing about homes where nothing has, and nothing had the last time. */
    synchronized void report(long now) {
        double seconds = Math.max(1, now - last) / 1e9;
        last = now;
        UnitStatus unit = status.get();
        for (HomeStatus home : unit.homes()) {
            homes[home.home()].line(home, unit.waitingFor(home), seconds).ifPresent(lines);
        }
    }

    @Override
    public void close() {
        worker.shutdownNow();
    }

    private static final class Counts {

        private final LongAdder prompt = new LongAdder();
        private final LongAdder output = new LongAdder();
        private final LongAdder drafts = new LongAdder();
        private final LongAdder drafted = new LongAdder();
        private final LongAdder accepted = new LongAdder();
        private boolean busy;

        Optional<String> line(HomeStatus home, int waiting, double seconds) {
            long in = prompt.sumThenReset();
            long out = output.sumThenReset();
            boolean before = busy;
            busy = in + out + home.runningRequests() + waiting > 0;
            if (!before && !busy) {
                return Optional.empty();
            }
            return Optional.of(String.format(Locale.ROOT,
                    "Engine %03d: Avg prompt throughput: %.1f tokens/s, Avg generation throughput: %.1f tokens/s, "
                            + "Running: %d reqs, Waiting: %d reqs, GPU KV cache usage: %.1f%%, Prefix cache hit rate: %.1f%%",
                    home.home(), in / seconds, out / seconds, home.runningRequests(), waiting,
                    percent(home.kvBlocks() - home.freeKvBlocks(), home.kvBlocks()),
                    percent(home.prefixCacheHits(), home.prefixCacheQueries())) + guesses());
        }

        /** How many tokens a step yields where some were guessed, and how many of the guesses were right: nothing if there were none. */
        private String guesses() {
            long steps = drafts.sumThenReset();
            long made = drafted.sumThenReset();
            long right = accepted.sumThenReset();
            return steps == 0
                    ? ""
                    : String.format(Locale.ROOT, ", Mean acceptance length: %.2f, Avg Draft acceptance rate: %.1f%%",
                            1 + right / (double) steps, percent(right, made));
        }

        private static double percent(long part, long whole) {
            return whole == 0 ? 0 : 100.0 * part / whole;
        }
    }
}
