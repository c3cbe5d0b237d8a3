package org.maniple.serve.openai;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The fields of a JSON object in a request, read one by one. A field that is {@code null} counts as absent. A value of the wrong
 * type or out of range becomes a 400 that names the field, before anything is allocated for it.
 */
final class Fields {

    private final Map<String, @Nullable Object> values;
    private final String prefix;

    Fields(Map<String, @Nullable Object> values) {
        this(values, "");
    }

    private Fields(Map<String, @Nullable Object> values, String prefix) {
        this.values = values;
        this.prefix = prefix;
    }

    boolean has(String name) {
        return values.get(name) != null;
    }

    /** Whether a field asks for something: it is there, and neither false, empty nor blank. */
    boolean asks(String name) {
        return switch (values.get(name)) {
            case null -> false;
            case Boolean flag -> flag;
            case String text -> !text.isEmpty();
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            default -> true;
        };
    }

    @Nullable
    Object raw(String name) {
        return values.get(name);
    }

    boolean flag(String name, boolean fallback) {
        return switch (values.get(name)) {
            case null -> fallback;
            case Boolean flag -> flag;
            case Object other -> throw wrong(name, "true or false", other);
        };
    }

    Optional<String> text(String name) {
        return switch (values.get(name)) {
            case null -> Optional.empty();
            case String text -> Optional.of(text);
            case Object other -> throw wrong(name, "a string", other);
        };
    }

    OptionalInt integer(String name, int minimum, int maximum) {
        OptionalLong value = whole(name, minimum, maximum);
        return value.isPresent() ? OptionalInt.of((int) value.getAsLong()) : OptionalInt.empty();
    }

    OptionalLong whole(String name, long minimum, long maximum) {
        Object value = values.get(name);
        return value == null ? OptionalLong.empty() : OptionalLong.of(toWhole(name, value, minimum, maximum));
    }

    OptionalDouble number(String name, double minimum, double maximum) {
        Object value = values.get(name);
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(toNumber(name, value, minimum, maximum));
    }

    Optional<Fields> object(String name) {
        return switch (values.get(name)) {
            case null -> Optional.empty();
            case Map<?, ?> map -> Optional.of(new Fields(asObject(map), prefix + name + "."));
            case Object other -> throw wrong(name, "an object", other);
        };
    }

    Map<String, @Nullable Object> all() {
        return values;
    }

    /** A list of objects. */
    Optional<List<Fields>> objects(String name, int maximum) {
        Optional<List<?>> list = list(name, maximum);
        if (list.isEmpty()) {
            return Optional.empty();
        }
        List<Fields> objects = new ArrayList<>(list.get().size());
        for (Object item : list.get()) {
            String place = name + "[" + objects.size() + "]";
            if (!(item instanceof Map<?, ?> map)) {
                throw wrong(place, "an object", item);
            }
            objects.add(new Fields(asObject(map), prefix + place + "."));
        }
        return Optional.of(objects);
    }

    Optional<List<?>> list(String name, int maximum) {
        return switch (values.get(name)) {
            case null -> Optional.empty();
            case List<?> list when list.size() > maximum ->
                throw problem(name, "has " + list.size() + " entries; at most " + maximum + " are allowed");
            case List<?> list -> Optional.of(list);
            case Object other -> throw wrong(name, "a list", other);
        };
    }

    /** A list of token ids, each below the vocabulary. */
    Optional<List<Integer>> tokenIds(String name, int maximum, int vocabulary) {
        return list(name, maximum).map(list -> {
            List<Integer> ids = new ArrayList<>(list.size());
            for (Object item : list) {
                ids.add((int) toWhole(name, item, 0, vocabulary - 1L));
            }
            return ids;
        });
    }

    /** A list of texts, or one text. */
    List<String> texts(String name, int maximum, int maximumBytes) {
        if (values.get(name) instanceof String one) {
            return List.of(bounded(name, one, maximumBytes));
        }
        List<String> texts = new ArrayList<>();
        for (Object item : list(name, maximum).orElse(List.of())) {
            if (!(item instanceof String text)) {
                throw wrong(name, "a string or a list of strings", item);
            }
            texts.add(bounded(name, text, maximumBytes));
        }
        return texts;
    }

    long toWhole(String name, @Nullable Object value, long minimum, long maximum) {
        String expected = "a whole number from " + minimum + " to " + maximum;
        long whole = switch (value) {
            case Integer number -> number;
            case Long number -> number;
            case BigInteger number -> throw wrong(name, expected, number);
            case Double number when number == Math.rint(number) && Math.abs(number) < 1L << 53 -> number.longValue();
            case null, default -> throw wrong(name, expected, value);
        };
        if (whole < minimum || whole > maximum) {
            throw wrong(name, expected, value);
        }
        return whole;
    }

    double toNumber(String name, @Nullable Object value, double minimum, double maximum) {
        String expected = "a number from " + shown(minimum) + " to " + shown(maximum);
        if (!(value instanceof Number number)) {
            throw wrong(name, expected, value);
        }
        double real = number.doubleValue();
        // Written so that NaN fails.
        if (!(real >= minimum && real <= maximum)) {
            throw wrong(name, expected, value);
        }
        return real;
    }

    /** A 400 that names a field, with the rest of the sentence. */
    ApiException problem(String name, String rest) {
        return ApiException.invalid(prefix + name, "`" + prefix + name + "` " + rest + ".");
    }

    ApiException wrong(String name, String expected, @Nullable Object value) {
        return problem(name, "must be " + expected + ", got [" + ApiException.shown(value) + "]");
    }

    private String bounded(String name, String text, int maximumBytes) {
        if (text.length() > maximumBytes || text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length > maximumBytes) {
            throw problem(name, "has a text of more than " + maximumBytes + " bytes");
        }
        if (text.isEmpty()) {
            throw problem(name, "cannot contain an empty string");
        }
        return text;
    }

    private static String shown(double bound) {
        return bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
    }

    @SuppressWarnings("unchecked") // keys of a JSON object are texts
    private static Map<String, @Nullable Object> asObject(Map<?, ?> map) {
        return (Map<String, @Nullable Object>) map;
    }
}
