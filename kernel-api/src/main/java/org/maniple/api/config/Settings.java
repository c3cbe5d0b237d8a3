package org.maniple.api.config;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The effective configuration: for every declared {@link Option} a value of its type, or nothing. Immutable. The getters throw
 * {@link IllegalArgumentException} if the key is not declared, of another type, or (those without {@code Optional}) absent; that is
 * a mistake of the caller, since users' values were checked before.
 */
public interface Settings {

    /**
     * Whether the key has a value, be it given or its default.
     *
     * @param key a declared key
     * @return whether it has one
     */
    boolean has(String key);

    /**
     * Whether the kernel or an enabled plugin declares a key. Nothing else can be asked about one that nobody declares.
     *
     * @param key any key
     * @return whether somebody does
     */
    boolean declared(String key);

    /**
     * How the key was written by whoever gave the value, without dashes in front and with dashes for underscores: where an alias counts
     * otherwise than the key itself does. For example {@code tp} for {@code --tp 4}.
     *
     * @param key a declared key
     * @return an alias, or the key itself, also if nobody gave a value
     */
    default String spelling(String key) {
        return key;
    }

    /**
     * Whether somebody gave the key a value, so that it is not merely its default.
     *
     * @param key a declared key
     * @return whether somebody did
     */
    boolean given(String key);

    /**
     * Where the value comes from, for messages: {@code unit.yaml:3}, {@code --tp}, {@code MANIPLE_…}, {@code default}.
     *
     * @param key a declared key
     * @return the source
     */
    String source(String key);

    /**
     * The value of an {@link OptionType#INTEGER} key.
     *
     * @param key a declared key
     * @return its value
     */
    int integer(String key);

    /**
     * The value of an {@link OptionType#NUMBER} key.
     *
     * @param key a declared key
     * @return its value
     */
    double number(String key);

    /**
     * The value of a {@link OptionType#BOOLEAN} key.
     *
     * @param key a declared key
     * @return its value; false if absent
     */
    boolean flag(String key);

    /**
     * The value of a {@link OptionType#TEXT} key.
     *
     * @param key a declared key
     * @return its value
     */
    String text(String key);

    /**
     * The value of a {@link OptionType#TEXT} key that may be absent.
     *
     * @param key a declared key
     * @return its value, or empty
     */
    Optional<String> optionalText(String key);

    /**
     * The value of an {@link OptionType#BYTES} key.
     *
     * @param key a declared key
     * @return its value in bytes
     */
    long bytes(String key);

    /**
     * The value of an {@link OptionType#DURATION} key.
     *
     * @param key a declared key
     * @return its value
     */
    Duration duration(String key);

    /**
     * The value of an {@link OptionType#INTEGERS} key.
     *
     * @param key a declared key
     * @return its values; empty if absent
     */
    List<Integer> integers(String key);

    /**
     * The value of an {@link OptionType#NUMBERS} key.
     *
     * @param key a declared key
     * @return its values; empty if absent
     */
    List<Double> numbers(String key);

    /**
     * The value of an {@link OptionType#TEXTS} key.
     *
     * @param key a declared key
     * @return its values; empty if absent
     */
    List<String> texts(String key);

    /**
     * The values of an {@link OptionType#OBJECT} key.
     *
     * @param key a declared key
     * @return value by name, sorted; empty if absent
     */
    default Map<String, String> entries(String key) {
        return Map.of();
    }
}
