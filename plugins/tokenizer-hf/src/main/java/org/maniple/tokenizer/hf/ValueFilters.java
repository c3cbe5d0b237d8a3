package org.maniple.tokenizer.hf;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Filters on single values: defaults, conversions, numbers, JSON. */
final class ValueFilters {
    private static final int MOST_DIGITS = 400;

    static final Map<String, Filter> ALL = Map.ofEntries(
            Map.entry("default", ValueFilters::otherwise),
            Map.entry("d", ValueFilters::otherwise),
            Map.entry("string", (input, arguments, evaluator) -> evaluator.str(input)),
            Map.entry("safe", (input, arguments, evaluator) -> evaluator.str(input)),
            Map.entry("int", ValueFilters::toInt),
            Map.entry("float", ValueFilters::toFloat),
            Map.entry("abs", ValueFilters::abs),
            Map.entry("round", ValueFilters::round),
            Map.entry("attr", (input, arguments, evaluator) -> evaluator.attributes().attribute(input,
                    arguments.bind("name").text("name", ""))),
            Map.entry("tojson", ValueFilters::toJson));

    private ValueFilters() {}

    private static @Nullable Object otherwise(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("default_value", "boolean");
        boolean missing = input instanceof TemplateObject.Undefined || given.flag("boolean", false) && !PythonValues.truth(input);
        return missing ? given.get("default_value", "") : input;
    }

    private static @Nullable Object toInt(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("default", "base");
        var fallback = given.get("default", 0L);
        if (input instanceof TemplateObject.Undefined undefined) {
            throw undefined.failure();
        }
        return switch (input) {
            case Long number -> number;
            case Boolean flag -> flag ? 1L : 0L;
            case Double number -> fits(number) ? (Object) number.longValue() : fallback;
            case String text -> parseInt(PythonStrings.strip(text).replace("_", ""), given.amount("base", 10), fallback);
            case null, default -> fallback;
        };
    }

    private static boolean fits(double number) {
        return Math.abs(number) < 0x1p63;
    }

    private static @Nullable Object parseInt(String text, int base, @Nullable Object fallback) {
        if (base < Character.MIN_RADIX || base > Character.MAX_RADIX || text.length() > MOST_DIGITS) {
            return fallback;
        }
        var digits = base == 16 && text.startsWith("0x") || base == 8 && text.startsWith("0o")
                || base == 2 && text.startsWith("0b")
                        ? text.substring(2)
                        : text;
        try {
            return Long.parseLong(digits, base);
        } catch (NumberFormatException notAnInteger) {
            var number = parseDouble(text);
            return base == 10 && number != null && fits(number) ? (Object) number.longValue() : fallback;
        }
    }

    /** The number a text stands for in Python, or null. Java reads a few forms that Python does not: "1f", hexadecimal. */
    private static @Nullable Double parseDouble(String text) {
        if (text.length() > MOST_DIGITS || !text.matches("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?")) {
            return null;
        }
        return Double.valueOf(text);
    }

    private static @Nullable Object toFloat(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var fallback = arguments.bind("default").get("default", 0.0);
        if (input instanceof TemplateObject.Undefined undefined) {
            throw undefined.failure();
        }
        if (PythonValues.isNumber(input)) {
            return PythonMath.toDouble(input);
        }
        var number = input instanceof String text ? parseDouble(PythonStrings.strip(text).replace("_", "")) : null;
        return number == null ? fallback : number;
    }

    private static Object abs(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        arguments.bind();
        return PythonValues.isNumber(input) && PythonMath.compare(input, 0L) >= 0
                ? input instanceof Double number ? (Object) number : (Object) PythonMath.toLong(input)
                : PythonMath.negate(input);
    }

    private static Object round(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("precision", "method");
        int precision = given.amount("precision", 0);
        var mode = switch (given.text("method", "common")) {
            case "common" -> RoundingMode.HALF_EVEN;
            case "ceil" -> RoundingMode.CEILING;
            case "floor" -> RoundingMode.FLOOR;
            default -> throw TemplateException.failed("method must be common, ceil or floor");
        };
        if (!PythonValues.isNumber(input)) {
            throw TemplateException.failed("type " + PythonValues.type(input) + " cannot be rounded");
        }
        double number = PythonMath.toDouble(input);
        if (Math.abs(precision) > MOST_DIGITS || Double.isNaN(number) || Double.isInfinite(number)) {
            return input instanceof Double ? number : (Object) PythonMath.toLong(input);
        }
        if (!(input instanceof Double) && mode == RoundingMode.HALF_EVEN && precision >= 0) {
            return PythonMath.toLong(input);
        }
        return new BigDecimal(number).setScale(precision, mode).doubleValue();
    }

    private static String toJson(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("ensure_ascii", "indent", "separators", "sort_keys");
        var indent = given.get("indent", null);
        var spaces = switch (indent) {
            case null -> null;
            case String text -> text;
            default -> " ".repeat(Math.max(0, Math.min(given.amount("indent", 0), 64)));
        };
        var comma = indent == null ? ", " : ",";
        var colon = ": ";
        if (given.get("separators", null) instanceof java.util.List<?> pair && pair.size() == 2
                && pair.get(0) instanceof String first
                && pair.get(1) instanceof String second) {
            comma = first;
            colon = second;
        } else if (given.get("separators", null) != null) {
            throw TemplateException.failed("separators must be a pair of strings");
        }
        return JsonText.write(input,
                new JsonText.Style(given.flag("ensure_ascii", false), spaces, comma, colon, given.flag("sort_keys", false)),
                evaluator.budget());
    }
}
