package org.maniple.kernel.config;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The environment variables of a process, as a value so that tests can make one up.
 *
 * @param variables name to value
 */
public record Environment(Map<String, String> variables) {

    static final String PREFIX = "MANIPLE_";

    /** Copies the map, sorted by name. */
    public Environment {
        variables = java.util.Collections.unmodifiableMap(new TreeMap<>(variables));
    }

    /**
     * The variables of this process.
     *
     * @return a copy
     */
    public static Environment ofThisProcess() {
        return new Environment(System.getenv());
    }

    /**
     * Whether a terminal should be shown colours.
     *
     * @return false if {@code NO_COLOR} is set or the terminal is dumb
     */
    public boolean coloursWanted() {
        return value("NO_COLOR").isEmpty() && !value("TERM").orElse("").equals("dumb");
    }

    /**
     * Where a user's programs keep what they can make again, as the XDG Base Directory Specification has it.
     *
     * @return {@code XDG_CACHE_HOME}, or {@code .cache} in the home of the user, or of the user whom Java knows
     */
    public Path caches() {
        return value("XDG_CACHE_HOME").map(Path::of)
                .orElseGet(() -> Path.of(value("HOME").orElseGet(() -> System.getProperty("user.home")), ".cache"));
    }

    /** A variable that is set to something other than blanks. */
    Optional<String> value(String name) {
        return Optional.ofNullable(variables.get(name)).map(String::strip).filter(value -> !value.isEmpty());
    }

    /** The variable that stands for a key. */
    static String variableOf(String key) {
        return PREFIX + key.toUpperCase(Locale.ROOT).replace('-', '_');
    }
}
