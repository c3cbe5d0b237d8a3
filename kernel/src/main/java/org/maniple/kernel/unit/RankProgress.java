package org.maniple.kernel.unit;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntToLongFunction;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.maniple.api.engine.UnitStatus.StepTimes;
import org.maniple.kernel.unit.UnitMessage.LinkReport;
import org.maniple.kernel.unit.UnitMessage.Usage;

/** How far this rank is. Written by the thread that works, read by the one that sends heartbeats; no call waits. */
public final class RankProgress {

    private volatile long step;
    private volatile long loadedBytes;
    private volatile LongSupplier dispatchedBytes = () -> 0;
    private volatile LongSupplier combinedBytes = () -> 0;
    private volatile LongSupplier residentBytes = () -> 0;
    private volatile Supplier<StepTimes> times = () -> StepTimes.NONE;
    private volatile long kvBytes;
    private volatile Supplier<String> exchange = () -> "";
    private volatile Links links = new Links(Map.of(), peer -> 0);

    /** Nothing done yet. */
    public RankProgress() {}

    /**
     * A step is done.
     *
     * @param number the step's number
     */
    public void step(long number) {
        step = number;
    }

    /**
     * Weights have been loaded.
     *
     * @param bytes how many so far
     */
    public void loaded(long bytes) {
        loadedBytes = bytes;
    }

    /**
     * Data links are open.
     *
     * @param paths over what peers are reached, by rank
     * @param sentBytes tells for each peer what has been sent so far; called by other threads until the unit is left. Where it throws,
     *     because the wire has been closed before that, the last number stays
     */
    public void links(Map<Integer, String> paths, IntToLongFunction sentBytes) {
        links = new Links(new TreeMap<>(paths), sentBytes);
    }

    /**
     * An all-to-all back end is in use.
     *
     * @param dispatched tells how many bytes of tokens it has sent so far; called by other threads
     * @param combined tells how many bytes of results it has sent so far; called by other threads
     */
    public void exchanges(LongSupplier dispatched, LongSupplier combined) {
        dispatchedBytes = dispatched;
        combinedBytes = combined;
    }

    /**
     * The KV cache is there.
     *
     * @param bytes its size; it takes room only as it is used
     * @param resident tells what this process has in memory; called by other threads
     */
    public void memory(long bytes, LongSupplier resident) {
        kvBytes = bytes;
        residentBytes = resident;
    }

    /**
     * Steps are measured.
     *
     * @param measured tells where their time went so far; called by other threads
     */
    public void times(Supplier<StepTimes> measured) {
        times = measured;
    }

    /**
     * Data is exchanged with other ranks.
     *
     * @param standing tells what this rank waits for, or how far it has come, if it takes part in a step, else nothing; called by other threads
     */
    public void exchange(Supplier<String> standing) {
        exchange = standing;
    }

    /** What has happened to a rank, and what of the step that runs this one waits for. */
    String during(String reason) {
        try {
            String standing = exchange.get();
            return standing.isEmpty() ? reason : reason + "; " + standing;
        } catch (RuntimeException e) {
            // The wire has been closed meanwhile.
            return reason;
        }
    }

    Usage usage() {
        return new Usage(dispatchedBytes.getAsLong(), combinedBytes.getAsLong(), kvBytes, residentBytes.getAsLong(), times.get());
    }

    long step() {
        return step;
    }

    long loadedBytes() {
        return loadedBytes;
    }

    List<LinkReport> links() {
        return links.report();
    }

    /** Data links with the numbers that were true when somebody asked last. */
    private static final class Links {
        private final Map<Integer, String> paths;
        private final IntToLongFunction sentBytes;
        private final Map<Integer, Long> last = new TreeMap<>();

        Links(Map<Integer, String> paths, IntToLongFunction sentBytes) {
            this.paths = paths;
            this.sentBytes = sentBytes;
            paths.keySet().forEach(peer -> last.put(peer, 0L));
        }

        synchronized List<LinkReport> report() {
            last.replaceAll(this::current);
            List<LinkReport> reports = new ArrayList<>(last.size());
            paths.forEach((peer, path) -> reports.add(new LinkReport(peer, path, last.getOrDefault(peer, 0L))));
            return reports;
        }

        private long current(int peer, long before) {
            try {
                return sentBytes.applyAsLong(peer);
            } catch (RuntimeException e) {
                return before;
            }
        }
    }
}
