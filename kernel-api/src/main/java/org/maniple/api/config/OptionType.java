package org.maniple.api.config;

/** What the value of an {@link Option} is, in a configuration file and as a flag. */
public enum OptionType {
    /** A whole number, for example {@code 16}. */
    INTEGER,
    /** A number, for example {@code 0.9}. */
    NUMBER,
    /** {@code true} or {@code false}; as a flag without a value it means {@code true}, and {@code --no-<key>} means {@code false}. */
    BOOLEAN,
    /** Any text. */
    TEXT,
    /** A number of bytes, for example {@code 512MiB}, {@code 2GiB} or {@code 1000000}. */
    BYTES,
    /** A length of time, for example {@code 500ms}, {@code 30s} or {@code 5m}. A bare number counts seconds. */
    DURATION,
    /** Whole numbers: {@code [15, 15, 16]} in a file, {@code 15,15,16} as a flag. */
    INTEGERS,
    /** Numbers: {@code [1, 2.5]} in a file, {@code 1,2.5} as a flag. */
    NUMBERS,
    /** Texts: {@code [a, b]} in a file, {@code a,b} as a flag. */
    TEXTS,
    /** Plain values by name: a mapping in a file, a JSON object as a flag. */
    OBJECT
}
