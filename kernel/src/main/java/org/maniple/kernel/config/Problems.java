package org.maniple.kernel.config;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Collects mistakes, so that all are reported at once. */
final class Problems {

    private final Set<String> lines = new LinkedHashSet<>();

    /** A mistake in the value of a key: {@code unit.yaml:3 port: …}; the key is left out where the source is its own flag or variable. */
    void add(String source, String key, String message) {
        lines.add(where(source, key) + ": " + message);
    }

    static String where(String source, String key) {
        boolean spelledOut = source.equals("--" + key) || source.equals(Environment.variableOf(key));
        return source.isEmpty() ? key : spelledOut ? source : source + " " + key;
    }

    /** A mistake that is not about a declared key. */
    void add(String source, String message) {
        lines.add(source + ": " + message);
    }

    boolean any() {
        return !lines.isEmpty();
    }

    List<String> lines() {
        return new ArrayList<>(lines);
    }

    void throwIfAny() {
        if (any()) {
            throw new ConfigurationException(lines());
        }
    }
}
