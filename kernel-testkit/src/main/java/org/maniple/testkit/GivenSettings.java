package org.maniple.testkit;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Settings;

/**
 * Settings for tests: the declared options of an extension with the values that a test gives. Defaults are understood for numbers,
 * truth values and texts.
 *
 * @param options what is declared
 * @param values given values by key: Integer, Double, Boolean, String, Long, Duration or lists
 * @param spellings by key how it was written, where that was not the key itself
 */
public record GivenSettings(List<Option> options, Map<String, Object> values, Map<String, String> spellings) implements Settings {

    /** Copies the collections and checks that every key is declared. */
    public GivenSettings {
        options = List.copyOf(options);
        values = Map.copyOf(values);
        spellings = Map.copyOf(spellings);
        for (String key : values.keySet()) {
            if (options.stream().noneMatch(option -> option.key().equals(key))) {
                throw new IllegalArgumentException("key [" + key + "] is not declared");
            }
        }
    }

    /**
     * Settings whose keys were written as they are.
     *
     * @param options what is declared
     * @param values given values by key
     */
    public GivenSettings(List<Option> options, Map<String, Object> values) {
        this(options, values, Map.of());
    }

    @Override
    public boolean declared(String key) {
        return options.stream().anyMatch(option -> option.key().equals(key));
    }

    @Override
    public String spelling(String key) {
        return spellings.getOrDefault(key, key);
    }

    @Override
    public boolean has(String key) {
        return find(key) != null;
    }

    @Override
    public boolean given(String key) {
        return values.containsKey(key);
    }

    @Override
    public String source(String key) {
        return given(key) ? "test" : "default";
    }

    @Override
    public int integer(String key) {
        return get(key, Integer.class);
    }

    @Override
    public double number(String key) {
        return get(key, Double.class);
    }

    @Override
    public boolean flag(String key) {
        return has(key) && get(key, Boolean.class);
    }

    @Override
    public String text(String key) {
        return get(key, String.class);
    }

    @Override
    public Optional<String> optionalText(String key) {
        return has(key) ? Optional.of(get(key, String.class)) : Optional.empty();
    }

    @Override
    public long bytes(String key) {
        return get(key, Long.class);
    }

    @Override
    public Duration duration(String key) {
        return get(key, Duration.class);
    }

    @Override
    public List<Integer> integers(String key) {
        return list(key, Integer.class);
    }

    @Override
    public List<Double> numbers(String key) {
        return list(key, Double.class);
    }

    @Override
    public List<String> texts(String key) {
        return list(key, String.class);
    }

    private <T> List<T> list(String key, Class<T> type) {
        return find(key) instanceof List<?> list ? list.stream().map(type::cast).toList() : List.of();
    }

    private <T> T get(String key, Class<T> type) {
        Object value = find(key);
        if (value == null) {
            throw new IllegalArgumentException("key [" + key + "] has no value");
        }
        return type.cast(value);
    }

    private @Nullable Object find(String key) {
        Option option = options.stream().filter(o -> o.key().equals(key)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("key [" + key + "] is not declared"));
        Object value = values.get(key);
        return value != null ? value : option.defaultValue().map(text -> parsed(option.type(), text)).orElse(null);
    }

    private static Object parsed(OptionType type, String text) {
        return switch (type) {
            case INTEGER -> Integer.valueOf(text);
            case NUMBER -> Double.valueOf(text);
            case BOOLEAN -> Boolean.valueOf(text);
            default -> text;
        };
    }
}
