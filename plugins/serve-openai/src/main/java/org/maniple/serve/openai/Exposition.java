package org.maniple.serve.openai;

import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Samples in the text format of Prometheus, version 0.0.4. Samples of one name stand together under what the name means, in whichever order they
 * come. Labels are names and values in turn; they are written in the order of the alphabet. For use by one thread.
 *
 * <p>Written here because the jars of Prometheus' own client for Java are no modules: as automatic ones they read every module there is, which the
 * layer of a plugin cannot have when both it and the kernel bring a library.
 */
final class Exposition {

    static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
    private static final double EXACT = 1e15;

    private final Map<String, StringBuilder> families = new LinkedHashMap<>();

    void gauge(String name, String help, double value, String... labels) {
        sample(family(name, "gauge", help), name, labels, number(value));
    }

    void gauge(String name, String help, long value, String... labels) {
        sample(family(name, "gauge", help), name, labels, number(value));
    }

    /** The name ends with {@code _total}. */
    void counter(String name, String help, double value, String... labels) {
        sample(family(name, "counter", help), name, labels, number(value));
    }

    /** The name ends with {@code _total}. */
    void counter(String name, String help, long value, String... labels) {
        sample(family(name, "counter", help), name, labels, number(value));
    }

    /**
     * A histogram with some labels.
     *
     * @param bounds ascending
     * @param counts how many numbers lie up to each bound and above the one before, and above the last: one more than bounds
     */
    void histogram(String name, String help, double[] bounds, long[] counts, double sum, String... labels) {
        StringBuilder family = family(name, "histogram", help);
        long upTo = 0;
        for (int i = 0; i < counts.length; i++) {
            upTo += counts[i];
            String bound = i < bounds.length ? number(bounds[i]) : "+Inf";
            sample(family, name + "_bucket", with(labels, "le", bound), number(upTo));
        }
        sample(family, name + "_count", labels, number(upTo));
        sample(family, name + "_sum", labels, number(sum));
    }

    /** Labels and some more. */
    static String[] with(String[] labels, String... more) {
        var all = Arrays.copyOf(labels, labels.length + more.length);
        System.arraycopy(more, 0, all, labels.length, more.length);
        return all;
    }

    private StringBuilder family(String name, String type, String help) {
        return families.computeIfAbsent(name, made -> new StringBuilder("# HELP ").append(made).append(' ')
                .append(help.replace("\\", "\\\\").replace("\n", "\\n")).append("\n# TYPE ").append(made).append(' ').append(type)
                .append('\n'));
    }

    private static void sample(StringBuilder out, String name, String[] labels, String value) {
        out.append(name);
        if (labels.length > 0) {
            out.append(IntStream.range(0, labels.length / 2).boxed().sorted(Comparator.comparing(i -> labels[2 * i]))
                    .map(i -> labels[2 * i] + "=\"" + escaped(labels[2 * i + 1]) + '"')
                    .collect(Collectors.joining(",", "{", "}")));
        }
        out.append(' ').append(value).append('\n');
    }

    private static String escaped(String value) {
        return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }

    /** Whole numbers without an exponent, as others write them: bounds are compared as texts. */
    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < EXACT ? number((long) value) : Double.toString(value);
    }

    private static String number(long value) {
        return value + ".0";
    }

    @Override
    public String toString() {
        return String.join("", families.values());
    }
}
