package org.maniple.kernel.config;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.kernel.plugin.NearestName;

/** Turns what a user wrote into a value of an option's type, and back into text. Mistakes are {@link IllegalArgumentException}s. */
final class ValueParser {

    private static final Pattern WHOLE = Pattern.compile("[-+]?\\d{1,18}");
    private static final Pattern WITH_UNIT = Pattern.compile("(\\d{1,15})\\s*([a-zA-Z]*)");
    private static final Map<String, Long> BYTES = Map.of("", 1L, "B", 1L, "KB", 1000L, "MB", 1000_000L, "GB", 1000_000_000L,
            "TB",
            1000_000_000_000L, "KIB", 1L << 10, "MIB", 1L << 20, "GIB", 1L << 30, "TIB", 1L << 40);
    private static final Map<String, Long> MILLIS = Map.of("", 1000L, "ms", 1L, "s", 1000L, "m", 60_000L, "h", 3_600_000L);

    private ValueParser() {}

    static boolean isList(OptionType type) {
        return type == OptionType.INTEGERS || type == OptionType.NUMBERS || type == OptionType.TEXTS;
    }

    /** A value written as a flag or variable, or as a plain value in a file. */
    static Object parse(Option option, String text) {
        if (isList(option.type())) {
            return parse(option, Arrays.stream(text.split(",", -1)).map(String::strip).toList());
        }
        Object value = switch (option.type()) {
            case INTEGER -> integer(text);
            case NUMBER -> number(text);
            case BOOLEAN -> truth(text);
            case BYTES -> bytes(text);
            case DURATION -> duration(text);
            case OBJECT -> JsonEntries.parse(text);
            default -> text(text);
        };
        checkMinimum(option, value, text);
        if (!option.choices().isEmpty() && !option.choices().contains(text)) {
            throw new IllegalArgumentException(
                    "[" + text + "] is not one of " + option.choices() + NearestName.hint(text, option.choices()));
        }
        return value;
    }

    /** A value written as a list. */
    static Object parse(Option option, List<String> items) {
        Function<String, Object> item = switch (option.type()) {
            case INTEGERS -> ValueParser::integer;
            case NUMBERS -> ValueParser::number;
            default -> ValueParser::text;
        };
        return items.stream().map(text -> {
            Object value = item.apply(text);
            checkMinimum(option, value, text);
            return value;
        }).toList();
    }

    private static void checkMinimum(Option option, Object value, String text) {
        if (option.minimum().isPresent() && value instanceof Number number && !(value instanceof Double)
                && number.longValue() < option.minimum().getAsLong()) {
            throw new IllegalArgumentException("[" + text + "] is too small; give at least " + option.minimum().getAsLong());
        }
    }

    private static Integer integer(String text) {
        if (!WHOLE.matcher(text).matches()) {
            throw new IllegalArgumentException("[" + text + "] is not a whole number");
        }
        long value = Long.parseLong(text);
        if (value != (int) value) {
            throw new IllegalArgumentException("[" + text + "] is beyond the largest whole number " + Integer.MAX_VALUE);
        }
        return (int) value;
    }

    private static Double number(String text) {
        try {
            double value = Double.parseDouble(text);
            if (Double.isFinite(value)) {
                return value;
            }
        } catch (NumberFormatException e) {
            // Falls through to the message.
        }
        throw new IllegalArgumentException("[" + text + "] is not a number");
    }

    private static Boolean truth(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException("[" + text + "] is neither true nor false");
        };
    }

    private static String text(String text) {
        if (text.isBlank()) {
            throw new IllegalArgumentException("the text is empty");
        }
        return text;
    }

    private static Long bytes(String text) {
        Matcher parts = WITH_UNIT.matcher(text);
        Long factor = parts.matches() ? BYTES.get(parts.group(2).toUpperCase(Locale.ROOT)) : null;
        if (factor == null) {
            throw new IllegalArgumentException("[" + text + "] is not a number of bytes such as 512MiB, 2GiB or 1000000");
        }
        try {
            return Math.multiplyExact(Long.parseLong(parts.group(1)), factor);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("[" + text + "] is more bytes than can be counted", e);
        }
    }

    private static Duration duration(String text) {
        Matcher parts = WITH_UNIT.matcher(text);
        Long factor = parts.matches() && parts.group(1).length() <= 9 ? MILLIS.get(parts.group(2)) : null;
        if (factor == null) {
            throw new IllegalArgumentException("[" + text + "] is not a length of time such as 500ms, 30s or 5m");
        }
        return Duration.ofMillis(Long.parseLong(parts.group(1)) * factor);
    }

    /** A value as it would be written as a flag. */
    static String text(Object value) {
        return switch (value) {
            case Duration duration -> text(duration);
            case Map<?, ?> entries -> JsonEntries.text(entries);
            case List<?> list -> list.stream().map(ValueParser::text).collect(Collectors.joining(","));
            case Double number when number == Math.rint(number) && Math.abs(number) < 1e15 -> Long.toString(number.longValue());
            default -> value.toString();
        };
    }

    private static String text(Duration duration) {
        long millis = duration.toMillis();
        return millis % 1000 != 0 ? millis + "ms" : millis / 1000 + "s";
    }
}
