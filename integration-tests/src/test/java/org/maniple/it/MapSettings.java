package org.maniple.it;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Settings;

/** Settings from a map, with the defaults of some options. */
final class MapSettings implements Settings {

    private final Map<String, Object> values;

    private final Set<String> given;

    MapSettings(Map<String, Object> values, List<Option> options) {
        this.given = Set.copyOf(values.keySet());
        this.values = new HashMap<>();
        options.forEach(
                option -> option.defaultValue().ifPresent(text -> this.values.put(option.key(), parsed(option.type(), text))));
        this.values.putAll(values);
    }

    private static Object parsed(OptionType type, String text) {
        return switch (type) {
            case INTEGER -> Integer.valueOf(text);
            case NUMBER -> Double.valueOf(text);
            case BOOLEAN -> Boolean.valueOf(text);
            default -> text;
        };
    }

    @Override
    public boolean declared(String key) {
        return has(key);
    }

    @Override
    public boolean has(String key) {
        return values.containsKey(key);
    }

    @Override
    public boolean given(String key) {
        return given.contains(key);
    }

    @Override
    public String source(String key) {
        return "test";
    }

    @Override
    public int integer(String key) {
        return (int) values.getOrDefault(key, 1);
    }

    @Override
    public double number(String key) {
        return (double) values.getOrDefault(key, 0.0);
    }

    @Override
    public boolean flag(String key) {
        return (boolean) values.getOrDefault(key, false);
    }

    @Override
    public String text(String key) {
        return (String) values.getOrDefault(key, "");
    }

    @Override
    public Optional<String> optionalText(String key) {
        return Optional.ofNullable((String) values.get(key));
    }

    @Override
    public long bytes(String key) {
        return (long) values.getOrDefault(key, 0L);
    }

    @Override
    public Duration duration(String key) {
        return Duration.ofSeconds(10);
    }

    @Override
    @SuppressWarnings("unchecked")
    public List<Integer> integers(String key) {
        return (List<Integer>) values.getOrDefault(key, List.of());
    }

    @Override
    @SuppressWarnings("unchecked")
    public List<Double> numbers(String key) {
        return (List<Double>) values.getOrDefault(key, List.of());
    }

    @Override
    @SuppressWarnings("unchecked")
    public List<String> texts(String key) {
        return (List<String>) values.getOrDefault(key, List.of());
    }
}
