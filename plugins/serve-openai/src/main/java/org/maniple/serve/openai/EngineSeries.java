package org.maniple.serve.openai;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Consumer;

/**
 * Series that exist once for each engine, which is what vLLM calls a group of ranks with sequences of its own. They begin with 0, so that a dashboard
 * has no gap before the first event, and to add to one allocates nothing, since the thread that computes does so. Safe for use by several threads.
 */
final class EngineSeries {

    static final String MODEL = "model_name";
    static final String ENGINE = "engine";
    private static final double NANOS = 1e9;

    private final String model;
    private final int engines;
    private final List<Consumer<Exposition>> families = new CopyOnWriteArrayList<>();

    EngineSeries(String model, int engines) {
        this.model = model;
        this.engines = engines;
    }

    /** Writes what there is at this moment. */
    void write(Exposition out) {
        families.forEach(family -> family.accept(out));
    }

    /** The name ends with {@code _total}. */
    Counter counter(String name, String help) {
        return counter(name, help, "", "");
    }

    /** A counter with a third label that has a few values. */
    Counter counter(String name, String help, String label, String... values) {
        var counter = new Counter(new AtomicLongArray(engines * values.length), values.length);
        families.add(out -> {
            for (int engine = 0; engine < engines; engine++) {
                for (int i = 0; i < values.length; i++) {
                    String[] labels = label.isEmpty() ? labels(engine) : Exposition.with(labels(engine), label, values[i]);
                    out.counter(name, help, counter.value(engine, i), labels);
                }
            }
        });
        return counter;
    }

    /** Of durations in nanoseconds, shown in seconds like the bounds. */
    Histogram ofTimes(String name, String help, double... seconds) {
        return histogram(name, help, NANOS, seconds);
    }

    Histogram ofNumbers(String name, String help, double... bounds) {
        return histogram(name, help, 1, bounds);
    }

    private Histogram histogram(String name, String help, double unit, double... bounds) {
        var limits = new long[bounds.length];
        for (int i = 0; i < limits.length; i++) {
            limits[i] = Math.round(bounds[i] * unit);
        }
        var histogram = new Histogram(limits, new AtomicLongArray(engines * (limits.length + 1)), new AtomicLongArray(engines));
        show(name, help, histogram, unit, bounds);
        return histogram;
    }

    /** A second name of a histogram of times. */
    void alias(String name, String help, Histogram histogram, double... seconds) {
        show(name, help, histogram, NANOS, seconds);
    }

    private void show(String name, String help, Histogram histogram, double unit, double... bounds) {
        families.add(out -> {
            for (int engine = 0; engine < engines; engine++) {
                out.histogram(name, help, bounds, histogram.counts(engine), histogram.sums.get(engine) / unit, labels(engine));
            }
        });
    }

    private String[] labels(int engine) {
        return new String[] {MODEL, model, ENGINE, Integer.toString(engine)};
    }

    /** Counts by engine, and by the value of a third label. */
    record Counter(AtomicLongArray counts, int values) {

        void add(int engine, long more) {
            add(engine, 0, more);
        }

        void add(int engine, int value, long more) {
            counts.getAndAdd(engine * values + value, more);
        }

        private long value(int engine, int value) {
            return counts.get(engine * values + value);
        }
    }

    /** Numbers by engine, each in the bucket of the first bound that is not below it. */
    record Histogram(long[] limits, AtomicLongArray counts, AtomicLongArray sums) {

        void observe(int engine, long value) {
            int bucket = 0;
            while (bucket < limits.length && value > limits[bucket]) {
                bucket++;
            }
            counts.getAndIncrement(engine * (limits.length + 1) + bucket);
            sums.getAndAdd(engine, value);
        }

        private long[] counts(int engine) {
            var own = new long[limits.length + 1];
            for (int i = 0; i < own.length; i++) {
                own[i] = counts.get(engine * own.length + i);
            }
            return own;
        }
    }
}
