package org.maniple.api.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A JSON object of a model's configuration, read key by key. A key whose value is {@code null} counts as absent. Immutable.
 */
public final class ModelConfig {

    private static final String HEADLESS = "Model";
    private static final String WITH_HEAD = "ForCausalLM";

    private final String where;
    private final Map<String, Object> values;

    /**
     * Wraps a parsed JSON object.
     *
     * @param where the file, for messages
     * @param values maps, lists, {@link Number}s, {@link String}s, {@link Boolean}s; not copied, must not change
     */
    public ModelConfig(String where, Map<String, Object> values) {
        this.where = where;
        this.values = values;
    }

    /**
     * The first of {@code architectures}, which is what names a model's kind. Models that were saved without their head, as those for embeddings
     * are, have names like {@code LlamaModel}: here they are called as the others.
     *
     * @return for example {@code LlamaForCausalLM}; empty text if there is none
     */
    public String architecture() {
        String name = values.get("architectures") instanceof List<?> list && !list.isEmpty()
                && list.getFirst() instanceof String first ? first : "";
        return name.endsWith(HEADLESS) ? name.substring(0, name.length() - HEADLESS.length()) + WITH_HEAD : name;
    }

    /**
     * The names of all keys.
     *
     * @return a copy
     */
    public Set<String> keys() {
        return Set.copyOf(values.keySet());
    }

    /**
     * Whether a key is there and not null.
     *
     * @param key the key
     * @return whether it is
     */
    public boolean has(String key) {
        return values.get(key) != null;
    }

    /**
     * A whole number.
     *
     * @param key the key
     * @return its value
     * @throws ModelConfigException if it is absent or no whole number that fits an int
     */
    public int integer(String key) {
        return asInteger(key, required(key));
    }

    /**
     * A whole number that may be absent.
     *
     * @param key the key
     * @param fallback the value if absent
     * @return its value
     * @throws ModelConfigException if it is no whole number that fits an int
     */
    public int integer(String key, int fallback) {
        return has(key) ? asInteger(key, required(key)) : fallback;
    }

    /**
     * A whole number of at least 1: an extent.
     *
     * @param key the key
     * @return its value
     * @throws ModelConfigException if it is absent, or not a whole number from 1 to 2^24
     */
    public int extent(String key) {
        return checkExtent(key, integer(key));
    }

    /**
     * A whole number of at least 1 that may be absent: an extent.
     *
     * @param key the key
     * @param fallback the value if absent
     * @return its value
     * @throws ModelConfigException if it is not a whole number from 1 to 2^24
     */
    public int extent(String key, int fallback) {
        return checkExtent(key, integer(key, fallback));
    }

    /**
     * A number.
     *
     * @param key the key
     * @return its value
     * @throws ModelConfigException if it is absent or not a finite number
     */
    public double number(String key) {
        return asNumber(key, required(key));
    }

    /**
     * A number that may be absent.
     *
     * @param key the key
     * @param fallback the value if absent
     * @return its value
     * @throws ModelConfigException if it is not a finite number
     */
    public double number(String key, double fallback) {
        return has(key) ? asNumber(key, required(key)) : fallback;
    }

    /**
     * A truth value that may be absent.
     *
     * @param key the key
     * @param fallback the value if absent
     * @return its value
     * @throws ModelConfigException if it is neither true nor false
     */
    public boolean flag(String key, boolean fallback) {
        Object value = values.get(key);
        return switch (value) {
            case null -> fallback;
            case Boolean flag -> flag;
            default -> throw wrong(key, "true or false", value);
        };
    }

    /**
     * A text that may be absent.
     *
     * @param key the key
     * @return its value, or empty
     * @throws ModelConfigException if it is no text
     */
    public Optional<String> text(String key) {
        Object value = values.get(key);
        return switch (value) {
            case null -> Optional.empty();
            case String text -> Optional.of(text);
            default -> throw wrong(key, "a text", value);
        };
    }

    /**
     * An object that may be absent.
     *
     * @param key the key
     * @return the object, or empty
     * @throws ModelConfigException if it is no object
     */
    public Optional<ModelConfig> object(String key) {
        Object value = values.get(key);
        return switch (value) {
            case null -> Optional.empty();
            case Map<?, ?> map -> Optional.of(new ModelConfig(where + " " + key, cast(map)));
            default -> throw wrong(key, "an object", value);
        };
    }

    /**
     * A list of texts that may be absent.
     *
     * @param key the key
     * @return its texts; empty if absent
     * @throws ModelConfigException if it is no list of texts
     */
    public List<String> texts(String key) {
        Object value = values.get(key);
        if (value == null) {
            return List.of();
        }
        if (value instanceof List<?> list && list.stream().allMatch(String.class::isInstance)) {
            return list.stream().map(String.class::cast).toList();
        }
        throw wrong(key, "a list of texts", value);
    }

    /**
     * A whole number, or a list of whole numbers, that may be absent (end-of-sequence ids come in both forms).
     *
     * @param key the key
     * @return its numbers; empty if absent
     * @throws ModelConfigException if it is neither
     */
    public List<Integer> integers(String key) {
        Object value = values.get(key);
        return switch (value) {
            case null -> List.of();
            case List<?> list -> list.stream().map(item -> asInteger(key, item)).toList();
            default -> List.of(asInteger(key, value));
        };
    }

    /**
     * A list of numbers that may be absent.
     *
     * @param key the key
     * @return its numbers; empty if absent
     * @throws ModelConfigException if it is no list of finite numbers
     */
    public List<Double> numbers(String key) {
        Object value = values.get(key);
        return switch (value) {
            case null -> List.of();
            case List<?> list -> list.stream().map(item -> asNumber(key, item)).toList();
            default -> throw wrong(key, "a list of numbers", value);
        };
    }

    /**
     * Refuses a value of the configuration.
     *
     * @param key the key
     * @param expected what it may be
     * @return an exception to throw, whose message names file, key and value
     */
    public ModelConfigException unsupported(String key, String expected) {
        return wrong(key, expected, values.get(key));
    }

    private Object required(String key) {
        Object value = values.get(key);
        if (value == null) {
            throw new ModelConfigException(where + ": key [" + key + "] is missing; a model of this kind needs it");
        }
        return value;
    }

    private int asInteger(String key, Object value) {
        if (value instanceof Number number && number.doubleValue() == number.intValue()) {
            return number.intValue();
        }
        throw wrong(key, "a whole number", value);
    }

    private double asNumber(String key, Object value) {
        if (value instanceof Number number && Double.isFinite(number.doubleValue())) {
            return number.doubleValue();
        }
        throw wrong(key, "a number", value);
    }

    private int checkExtent(String key, int value) {
        if (value < 1 || value > 1 << 24) {
            throw wrong(key, "a whole number from 1 to " + (1 << 24), value);
        }
        return value;
    }

    private ModelConfigException wrong(String key, String expected, @org.jspecify.annotations.Nullable Object value) {
        String shown = String.valueOf(value);
        return new ModelConfigException(
                where + ": key [" + key + "] is [" + (shown.length() > 80 ? shown.substring(0, 80) + "…" : shown)
                        + "], expected " + expected);
    }

    @SuppressWarnings("unchecked") // keys of a JSON object are texts
    private static Map<String, Object> cast(Map<?, ?> map) {
        return (Map<String, Object>) map;
    }
}
