package org.maniple.kernel.bench;

import java.util.Arrays;
import java.util.List;

/**
 * Measured values.
 *
 * @param values in the order of measuring, at least one
 */
public record Samples(List<Double> values) {

    /** Copies the list. */
    public Samples {
        values = List.copyOf(values);
        if (values.isEmpty()) {
            throw new IllegalArgumentException("no samples");
        }
    }

    /**
     * Wraps values.
     *
     * @param values at least one
     * @return the samples
     */
    public static Samples of(double... values) {
        return new Samples(Arrays.stream(values).boxed().toList());
    }

    /**
     * The mean.
     *
     * @return sum divided by number
     */
    public double mean() {
        return values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    /**
     * The deviation of a sample.
     *
     * @return 0 for a single value
     */
    public double deviation() {
        double mean = mean();
        double squares = values.stream().mapToDouble(value -> (value - mean) * (value - mean)).sum();
        return values.size() == 1 ? 0 : Math.sqrt(squares / (values.size() - 1));
    }

    /**
     * The largest value.
     *
     * @return the best one, where more is better
     */
    public double best() {
        return values.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    }

    /**
     * The value that a part of all values does not exceed, the nearest one that was measured.
     *
     * @param part from 0 to 1; 0.5 is the median
     * @return a measured value
     */
    public double quantile(double part) {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted[Math.clamp((int) Math.ceil(part * sorted.length) - 1, 0, sorted.length - 1)];
    }
}
