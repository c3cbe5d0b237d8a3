package org.maniple.serve.openai;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A text in the format of Prometheus, read strictly. */
final class Scrape {

    private static final Pattern HEAD = Pattern.compile("# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)");
    private static final Pattern SAMPLE = Pattern
            .compile("([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{((?:[a-zA-Z_]\\w*=\"(?:[^\"\\\\\\n]|\\\\.)*\",?)*)})? (\\S+)");

    private final Map<String, String> types = new LinkedHashMap<>();
    private final Map<String, Double> samples = new LinkedHashMap<>();
    private final Set<String> names = new TreeSet<>();

    Scrape(String text) {
        if (!text.endsWith("\n")) {
            throw new AssertionError("the last line has no end");
        }
        for (String line : text.split("\n")) {
            Matcher head = HEAD.matcher(line);
            Matcher sample = SAMPLE.matcher(line);
            if (head.matches()) {
                if (head.group(1).equals("TYPE") && types.put(head.group(2), head.group(3)) != null) {
                    throw new AssertionError("a second family of " + head.group(2));
                }
            } else if (sample.matches()) {
                String labels = sample.group(2) == null ? "" : "{" + sample.group(2) + "}";
                names.add(sample.group(1));
                if (samples.put(sample.group(1) + labels, Double.valueOf(sample.group(3).replace("+Inf", "Infinity"))) != null) {
                    throw new AssertionError("a second sample: " + line);
                }
            } else {
                throw new AssertionError("neither a head nor a sample: [" + line + "]");
            }
        }
    }

    /** Names of samples, with what histograms put behind theirs. */
    Set<String> names() {
        return names;
    }

    String type(String family) {
        return types.getOrDefault(family, "none");
    }

    /** The value of a sample with these labels, in the order of the alphabet. */
    double value(String sample) {
        Double value = samples.get(sample);
        if (value == null) {
            throw new AssertionError("no [" + sample + "]; there are\n" + String.join("\n", samples.keySet()));
        }
        return value;
    }

    /** The labels of the samples of a name. */
    Set<String> labels(String name) {
        var labels = new TreeSet<String>();
        samples.keySet().stream().filter(sample -> sample.startsWith(name + "{"))
                .forEach(sample -> labels.add(sample.substring(name.length())));
        return labels;
    }
}
