package org.maniple.kernel.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Settings;
import org.maniple.kernel.config.Given.Origin;

/** The effective configuration with the source of each value. Immutable; a derived value makes a copy that remembers the old one. */
public final class EffectiveSettings implements Settings {

    private record Entry(Option option, Optional<Given> given, Optional<String> derivation) {}

    private final Map<String, Entry> entries;

    private EffectiveSettings(Map<String, Entry> entries) {
        this.entries = entries;
    }

    /** For each option the given value of the first origin, else its default. */
    static EffectiveSettings of(Collection<Option> options, List<Given> given) {
        var entries = new LinkedHashMap<String, Entry>();
        for (Option option : options) {
            Optional<Given> best = given.stream().filter(value -> value.key().equals(option.key()))
                    .min(java.util.Comparator.comparing(Given::origin));
            Optional<Given> standard = option.defaultValue()
                    .map(text -> new Given(option.key(), ValueParser.parse(option, text), Origin.DEFAULT, "default"));
            entries.put(option.key(), new Entry(option, best.or(() -> standard), Optional.empty()));
        }
        return new EffectiveSettings(entries);
    }

    /**
     * A copy in which a key has another value.
     *
     * @param key a declared key
     * @param text the value, as it would be written as a flag
     * @param reason why, for people
     * @return the copy; {@link #render} and {@link #source} show old and new value and the reason
     */
    public EffectiveSettings derive(String key, String text, String reason) {
        Entry entry = entry(key);
        String before = entry.given().map(value -> ValueParser.text(value.value())).orElse("none");
        String derivation = before + " → " + text + ", " + reason;
        Object value = ValueParser.parse(entry.option(), text);
        var copy = new LinkedHashMap<>(entries);
        copy.put(key, new Entry(entry.option(), Optional.of(new Given(key, value, Origin.DERIVED, "derived")),
                Optional.of(derivation)));
        return new EffectiveSettings(copy);
    }

    /**
     * A copy in which nobody has given a value for a key.
     *
     * @param key a declared key with a default
     * @return the copy
     */
    public EffectiveSettings leftOpen(String key) {
        Option option = entry(key).option();
        Object value = ValueParser.parse(option, option.defaultValue().orElseThrow());
        var copy = new LinkedHashMap<>(entries);
        copy.put(key, new Entry(option, Optional.of(new Given(key, value, Origin.DEFAULT, "default")), Optional.empty()));
        return new EffectiveSettings(copy);
    }

    /**
     * Whether a value follows from others that were given.
     *
     * @param key a declared key
     * @return whether it was derived
     */
    public boolean derived(String key) {
        return entry(key).derivation().isPresent();
    }

    /** Why a key has another value than the one that was given: {@code tensor-parallel-size: 4 → 2, because …}. */
    String derivation(String key) {
        return key + ": " + entry(key).derivation().orElseThrow();
    }

    /**
     * What each rank shows the others: the keys that must be the same everywhere, without secrets.
     *
     * @return key to value as text, sorted; keys without value are left out
     */
    public SortedMap<String, String> comparable() {
        var map = new TreeMap<String, String>();
        entries.forEach((key, entry) -> {
            if (!entry.option().local() && !KernelOptions.secret(key)) {
                entry.given().ifPresent(given -> map.put(key, ValueParser.text(given.value())));
            }
        });
        return map;
    }

    /**
     * All values for people and status pages; secrets are hidden.
     *
     * @return key to value as text, in the order of declaration
     */
    public Map<String, String> shown() {
        var map = new LinkedHashMap<String, String>();
        entries.forEach((key, entry) -> entry.given().ifPresent(given -> map.put(key, show(key, given))));
        return map;
    }

    /**
     * The configuration for people: a line for each key that has a value, with its source.
     *
     * @return lines
     */
    public List<String> render() {
        var shown = shown();
        int keys = shown.keySet().stream().mapToInt(String::length).max().orElse(0);
        int values = Math.min(40, shown.values().stream().mapToInt(String::length).max().orElse(0));
        var lines = new ArrayList<String>();
        shown.forEach((key, value) -> {
            Entry entry = entry(key);
            String source = KernelOptions.secret(key)
                    ? source(key)
                    : entry.derivation().map(text -> "derived: " + text).orElse(source(key));
            lines.add(("%-" + keys + "s  %-" + Math.max(1, values) + "s  %s").formatted(key, value, source));
        });
        return lines;
    }

    private static String show(String key, Given given) {
        return KernelOptions.secret(key) ? "(hidden)" : ValueParser.text(given.value());
    }

    /**
     * The declared options.
     *
     * @return in the order of declaration
     */
    public List<Option> options() {
        return entries.values().stream().map(Entry::option).toList();
    }

    @Override
    public boolean declared(String key) {
        return entries.containsKey(key);
    }

    Optional<Origin> origin(String key) {
        return entry(key).given().map(Given::origin);
    }

    private Entry entry(String key) {
        Entry entry = entries.get(key);
        if (entry == null) {
            throw new IllegalArgumentException("configuration key [" + key + "] is not declared");
        }
        return entry;
    }

    private <T> Optional<T> value(String key, OptionType type, Class<T> java) {
        Entry entry = entry(key);
        if (entry.option().type() != type) {
            throw new IllegalArgumentException(
                    "configuration key [" + key + "] is of type " + entry.option().type() + ", not " + type);
        }
        return entry.given().map(given -> java.cast(given.value()));
    }

    private <T> T needed(String key, OptionType type, Class<T> java) {
        return value(key, type, java)
                .orElseThrow(() -> new IllegalArgumentException("configuration key [" + key + "] has no value"));
    }

    private <T> List<T> list(String key, OptionType type, Class<T> java) {
        return value(key, type, List.class).map(list -> ((List<?>) list).stream().map(java::cast).toList()).orElse(List.of());
    }

    @Override
    public boolean has(String key) {
        return entry(key).given().isPresent();
    }

    @Override
    public String spelling(String key) {
        return entry(key).given().map(Given::spelling).orElse(key);
    }

    @Override
    public boolean given(String key) {
        return entry(key).given().filter(given -> given.origin().compareTo(Origin.DERIVED) < 0).isPresent();
    }

    @Override
    public String source(String key) {
        return entry(key).given().map(Given::source).orElse("none");
    }

    /**
     * Where the value of a key is to be corrected.
     *
     * @param key the key
     * @return what gives it, with the key unless that is its own flag or variable; the key alone if nothing gives it
     */
    public String where(String key) {
        return Problems.where(given(key) ? source(key) : "", key);
    }

    @Override
    public int integer(String key) {
        return needed(key, OptionType.INTEGER, Integer.class);
    }

    @Override
    public double number(String key) {
        return needed(key, OptionType.NUMBER, Double.class);
    }

    @Override
    public boolean flag(String key) {
        return value(key, OptionType.BOOLEAN, Boolean.class).orElse(false);
    }

    @Override
    public String text(String key) {
        return needed(key, OptionType.TEXT, String.class);
    }

    @Override
    public Optional<String> optionalText(String key) {
        return value(key, OptionType.TEXT, String.class);
    }

    @Override
    public long bytes(String key) {
        return needed(key, OptionType.BYTES, Long.class);
    }

    @Override
    public Duration duration(String key) {
        return needed(key, OptionType.DURATION, Duration.class);
    }

    @Override
    public List<Integer> integers(String key) {
        return list(key, OptionType.INTEGERS, Integer.class);
    }

    @Override
    public List<Double> numbers(String key) {
        return list(key, OptionType.NUMBERS, Double.class);
    }

    @Override
    public List<String> texts(String key) {
        return list(key, OptionType.TEXTS, String.class);
    }

    @Override
    public Map<String, String> entries(String key) {
        var entries = new TreeMap<String, String>();
        Map<?, ?> given = value(key, OptionType.OBJECT, Map.class).orElseGet(Map::of);
        given.forEach((name, text) -> entries.put((String) name, (String) text));
        return entries;
    }
}
