package org.maniple.serve.openai;

import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Supplier;

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
    private final List<Supplier<MetricSnapshot>> families = new CopyOnWriteArrayList<>();

    EngineSeries(String model, int engines) {
        this.model = model;
        this.engines = engines;
    }

    /** What there is at this moment. */
    MetricSnapshots snapshots() {
        var all = MetricSnapshots.builder();
        families.forEach(family -> all.metricSnapshot(family.get()));
        return all.build();
    }

    /** The name ends with {@code _total}. */
    Counter counter(String name, String help) {
        return counter(name, help, "", "");
    }

    /** A counter with a third label that has a few values. */
    Counter counter(String name, String help, String label, String... values) {
        var counter = new Counter(new AtomicLongArray(engines * values.length), values.length);
        String family = name.substring(0, name.length() - "_total".length());
        families.add(() -> {
            var snapshot = CounterSnapshot.builder().name(family).help(help);
            for (int engine = 0; engine < engines; engine++) {
                for (int i = 0; i < values.length; i++) {
                    Labels labels = label.isEmpty() ? labels(engine) : labels(engine).merge(Labels.of(label, values[i]));
                    snapshot.dataPoint(
                            CounterDataPointSnapshot.builder().value(counter.value(engine, i)).labels(labels).build());
                }
            }
            return snapshot.build();
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
        families.add(() -> {
            var snapshot = HistogramSnapshot.builder().name(name).help(help);
            for (int engine = 0; engine < engines; engine++) {
                snapshot.dataPoint(HistogramDataPointSnapshot.builder().labels(labels(engine))
                        .classicHistogramBuckets(histogram.buckets(engine, bounds)).sum(histogram.sums.get(engine) / unit).build());
            }
            return snapshot.build();
        });
    }

    private Labels labels(int engine) {
        return Labels.of(MODEL, model, ENGINE, Integer.toString(engine));
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

        private ClassicHistogramBuckets buckets(int engine, double... bounds) {
            var buckets = ClassicHistogramBuckets.builder();
            for (int i = 0; i <= limits.length; i++) {
                buckets.bucket(i < limits.length ? bounds[i] : Double.POSITIVE_INFINITY,
                        counts.get(engine * (limits.length + 1) + i));
            }
            return buckets.build();
        }
    }
}
