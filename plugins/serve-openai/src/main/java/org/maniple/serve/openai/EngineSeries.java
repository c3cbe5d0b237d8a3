package org.maniple.serve.openai;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Makes series that exist once for each engine, which is what vLLM calls a group of ranks with sequences of its own. All data points are made at once:
 * a dashboard shows 0 then and not a gap, and nothing is made while the engine runs.
 */
final class EngineSeries {

    static final String MODEL = "model_name";
    static final String ENGINE = "engine";

    private final PrometheusRegistry registry;
    private final String model;
    private final int engines;

    EngineSeries(PrometheusRegistry registry, String model, int engines) {
        this.registry = registry;
        this.model = model;
        this.engines = engines;
    }

    CounterDataPoint[] counter(String name, String help) {
        Counter counter = Counter.builder().name(name).help(help).labelNames(MODEL, ENGINE).withoutExemplars().register(registry);
        return each(engine -> counter.labelValues(model, engine), CounterDataPoint[]::new);
    }

    /** A counter with a third label. The result is by value of the label, then by engine. */
    CounterDataPoint[][] counter(String name, String help, String label, String... values) {
        Counter counter = Counter.builder().name(name).help(help).labelNames(MODEL, ENGINE, label).withoutExemplars()
                .register(registry);
        var points = new CounterDataPoint[values.length][];
        for (int i = 0; i < values.length; i++) {
            String value = values[i];
            points[i] = each(engine -> counter.labelValues(model, engine, value), CounterDataPoint[]::new);
        }
        return points;
    }

    Distribution histogram(String name, String help, double... bounds) {
        Histogram histogram = Histogram.builder().name(name).help(help).labelNames(MODEL, ENGINE).classicOnly()
                .classicUpperBounds(bounds).withoutExemplars().register(registry);
        return new Distribution(histogram, each(engine -> histogram.labelValues(model, engine), DistributionDataPoint[]::new));
    }

    private <T> T[] each(Function<String, T> point, IntFunction<T[]> array) {
        return IntStream.range(0, engines).mapToObj(engine -> point.apply(Integer.toString(engine))).toArray(array);
    }

    /** A histogram and its data points. */
    record Distribution(Histogram histogram, DistributionDataPoint[] points) {

        void observe(int engine, double value) {
            points[engine].observe(value);
        }

        void observeNanos(int engine, long nanos) {
            points[engine].observe(nanos / 1e9);
        }
    }
}
