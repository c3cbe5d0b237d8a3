package org.maniple.kernel.unit;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;

/** Finds in what a rank differs from rank 0, field by field. */
final class HelloComparison {

    /** Longer values are cut in messages. */
    private static final int MAX_VALUE = 200;
    /** More differences are only counted. */
    private static final int MAX_DIFFERENCES = 100;

    private final Hello own;
    private final Hello other;
    private final List<String> differences = new ArrayList<>();

    private HelloComparison(Hello own, Hello other) {
        this.own = own;
        this.other = other;
    }

    /** All differences, as sentences; none if the ranks can be in one unit. */
    static List<String> differences(Hello own, Hello other) {
        HelloComparison comparison = new HelloComparison(own, other);
        comparison.compare();
        List<String> found = comparison.differences;
        if (found.size() > MAX_DIFFERENCES) {
            int more = found.size() - MAX_DIFFERENCES;
            found = new ArrayList<>(found.subList(0, MAX_DIFFERENCES));
            found.add("and " + more + " more differences of " + other.who());
        }
        return found;
    }

    private void compare() {
        if (own.protocol() != other.protocol()) {
            // The rest of what a rank of another protocol said has not been read.
            add("protocol version", String.valueOf(own.protocol()) + " (software " + own.version() + ")",
                    other.protocol() + " (software " + other.version() + ")", "install the same version of Maniple on all nodes");
            return;
        }
        if (!own.version().equals(other.version())) {
            add("software version", own.version(), other.version(), "install the same version of Maniple on all nodes");
        }
        if (own.epoch() != other.epoch()) {
            differences.add(epochs(own, other));
        }
        plugins();
        texts(own.configuration(), other.configuration(), "configuration key [", "]", "give every rank the same file or flags");
        texts(own.model(), other.model(), "model file ", " differs", "copy the same model to all nodes");
        if (!own.program().equals(other.program())) {
            add("program fingerprint", own.program(), other.program(),
                    "give every rank the same model, plugins and configuration");
        }
    }

    /** What is said to a rank of another epoch. */
    static String epochs(Hello own, Hello other) {
        String relation = other.epoch() < own.epoch() ? " < " : " > ";
        return "epoch " + other.epoch() + relation + own.epoch() + ": " + other.who() + " (process " + other.processId()
                + ") belongs to another build of the unit than " + own.who() + "; end it and start it again";
    }

    private void plugins() {
        String advice = "install and enable the same plugins on all nodes";
        for (String id : keys(own.plugins(), other.plugins())) {
            String mine = own.plugins().get(id);
            String theirs = other.plugins().get(id);
            if (theirs == null) {
                differences.add("plugin set: " + other.who() + " lacks [" + id + " " + mine + "], which " + own.who() + " has; "
                        + advice);
            } else if (mine == null) {
                differences.add("plugin set: " + own.who() + " lacks [" + id + " " + theirs + "], which " + other.who() + " has; "
                        + advice);
            } else if (!mine.equals(theirs)) {
                add("plugin [" + id + "]", mine, theirs, advice);
            }
        }
    }

    private void texts(SortedMap<String, String> mine, SortedMap<String, String> theirs, String before, String after,
            String advice) {
        for (String key : keys(mine, theirs)) {
            String left = mine.get(key);
            String right = theirs.get(key);
            if (!Objects.equals(left, right)) {
                add(before + key + after, left == null ? "none" : left, right == null ? "none" : right, advice);
            }
        }
    }

    private void add(String field, String mine, String theirs, String advice) {
        differences.add(field + ": " + own.who() + " has " + shortened(mine) + ", " + other.who() + " has " + shortened(theirs)
                + "; " + advice);
    }

    private static SortedSet<String> keys(SortedMap<String, String> left, SortedMap<String, String> right) {
        SortedSet<String> keys = new TreeSet<>(left.keySet());
        keys.addAll(right.keySet());
        return keys;
    }

    private static String shortened(String value) {
        return value.length() <= MAX_VALUE ? value : value.substring(0, MAX_VALUE) + "…";
    }
}
