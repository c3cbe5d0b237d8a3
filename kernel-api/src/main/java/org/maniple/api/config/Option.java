package org.maniple.api.config;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * One configuration key, and with it one flag and one environment variable. The key {@code tensor-parallel-size} is the flag
 * {@code --tensor-parallel-size} and the variable {@code MANIPLE_TENSOR_PARALLEL_SIZE}.
 *
 * @param key lower-case kebab ASCII
 * @param type what its value is
 * @param defaultValue the value if nobody gives one, as it would be written as a flag; empty: the key is then absent
 * @param aliases other spellings of the flag, with their dashes, for example {@code --tp} or {@code -tp}; a file may use the long
 *     ones without dashes. Spellings with underscores instead of dashes are accepted without being listed
 * @param choices the only values of a {@link OptionType#TEXT} option; empty: any
 * @param minimum the smallest value of an {@link OptionType#INTEGER}, {@link OptionType#BYTES} option or of each of
 *     {@link OptionType#INTEGERS}
 * @param local whether ranks of one unit may differ in it (a rank's own address, its thread count); all other keys are compared
 *     when ranks join
 * @param help one sentence for users, with the unit of the value
 */
public record Option(
        String key,
        OptionType type,
        Optional<String> defaultValue,
        List<String> aliases,
        List<String> choices,
        OptionalLong minimum,
        boolean local,
        String help) {

    // Hundreds of options are made in every start.
    private static final Pattern KEY = Pattern.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*");
    private static final Pattern ALIAS = Pattern.compile("--?[a-zA-Z][a-zA-Z0-9_-]*");

    /** Checks the form of key and aliases, and copies the lists. */
    public Option {
        if (!KEY.matcher(key).matches()) {
            throw new IllegalArgumentException("configuration key [" + key + "] must be lower-case kebab");
        }
        for (String alias : aliases) {
            if (!ALIAS.matcher(alias).matches()) {
                throw new IllegalArgumentException("alias [" + alias + "] of key [" + key + "] must be a flag with its dashes");
            }
        }
        aliases = List.copyOf(aliases);
        choices = List.copyOf(choices);
    }

    /**
     * An option without default, aliases, choices and minimum.
     *
     * @param key lower-case kebab ASCII
     * @param type what its value is
     * @param help one sentence for users
     * @return the option
     */
    public static Option of(String key, OptionType type, String help) {
        return new Option(key, type, Optional.empty(), List.of(), List.of(), OptionalLong.empty(), false, help);
    }

    /**
     * This option with a default.
     *
     * @param value as it would be written as a flag
     * @return a copy
     */
    public Option withDefault(String value) {
        return new Option(key, type, Optional.of(value), aliases, choices, minimum, local, help);
    }

    /**
     * This option with further spellings of its flag.
     *
     * @param flags with their dashes
     * @return a copy
     */
    public Option withAliases(String... flags) {
        return new Option(key, type, defaultValue, List.of(flags), choices, minimum, local, help);
    }

    /**
     * This option restricted to some texts.
     *
     * @param values the only values
     * @return a copy
     */
    public Option withChoices(String... values) {
        return new Option(key, type, defaultValue, aliases, List.of(values), minimum, local, help);
    }

    /**
     * This option with a smallest value.
     *
     * @param value the smallest value allowed
     * @return a copy
     */
    public Option withMinimum(long value) {
        return new Option(key, type, defaultValue, aliases, choices, OptionalLong.of(value), local, help);
    }

    /**
     * This option as one in which the ranks of a unit may differ.
     *
     * @return a copy
     */
    public Option asLocal() {
        return new Option(key, type, defaultValue, aliases, choices, minimum, true, help);
    }
}
