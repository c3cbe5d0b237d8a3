package org.maniple.tokenizer.hf;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code 'text %s' % values}. */
final class PercentFormat {
    private static final Pattern FIELD = Pattern.compile(
            "%(?:\\(([^)]*)\\))?([-+ 0#]*)([0-9]{0,9})(?:\\.([0-9]{0,9}))?([hlL]?)(.)?",
            Pattern.DOTALL);

    private PercentFormat() {}

    static String format(String format, @Nullable Object values, RenderBudget budget) {
        var out = new StringBuilder();
        List<?> list = values instanceof TemplateObject.Tuple tuple ? tuple : java.util.Collections.singletonList(values);
        int used = 0;
        var matcher = FIELD.matcher(format);
        int done = 0;
        while (matcher.find()) {
            out.append(format, done, matcher.start());
            done = matcher.end();
            if (matcher.group(6) == null) {
                throw TemplateException.failed("incomplete format");
            }
            if (matcher.group(6).equals("%")) {
                out.append('%');
                continue;
            }
            Object value;
            if (matcher.group(1) != null) {
                value = byName(values, matcher.group(1));
            } else if (used < list.size()) {
                value = list.get(used++);
            } else {
                throw TemplateException.failed("not enough arguments for format string");
            }
            out.append(field(value, matcher.group(2), number(matcher.group(3), 0), number(matcher.group(4), -1),
                    matcher.group(6).charAt(0), budget));
            budget.text(out.length());
        }
        if (used < list.size() && !(values instanceof Map<?, ?>)
                && !(values instanceof List<?> && !(values instanceof TemplateObject.Tuple))) {
            throw TemplateException.failed("not all arguments converted during string formatting");
        }
        return out.append(format, done, format.length()).toString();
    }

    private static @Nullable Object byName(@Nullable Object values, String name) {
        if (values instanceof Map<?, ?> map && map.containsKey(name)) {
            return map.get(name);
        }
        throw TemplateException.failed("no value for '" + name + "' in the format");
    }

    private static int number(@Nullable String digits, int otherwise) {
        return digits == null ? otherwise : digits.isEmpty() ? Math.max(0, otherwise) : Integer.parseInt(digits);
    }

    private static String field(@Nullable Object value, String flags, int width, int precision, char form, RenderBudget budget) {
        if (width > NumberFormat.WIDEST) {
            throw TemplateException.limit("formats a field wider than " + NumberFormat.WIDEST);
        }
        var text = switch (form) {
            case 's' -> PythonText.str(value, budget);
            case 'r', 'a' -> PythonText.repr(value, budget);
            case 'c' -> value instanceof Long point && Character.isValidCodePoint(point.intValue())
                    ? Character.toString(point.intValue())
                    : PythonText.str(value, budget);
            default -> NumberFormat.write(value, form, precision);
        };
        boolean numeric = "srac".indexOf(form) < 0;
        if (!numeric) {
            return StringMethods.pad(precision < 0 ? text : PythonStrings.head(text, precision), width, " ",
                    flags.contains("-") ? StringMethods.Pad.RIGHT : StringMethods.Pad.LEFT);
        }
        var sign = text.startsWith("-") ? "-" : flags.contains("+") ? "+" : flags.contains(" ") ? " " : "";
        var digits = text.startsWith("-") ? text.substring(1) : text;
        if (flags.contains("0") && !flags.contains("-")) {
            return sign + StringMethods.pad(digits, width - sign.length(), "0", StringMethods.Pad.LEFT);
        }
        return StringMethods.pad(sign + digits, width, " ",
                flags.contains("-") ? StringMethods.Pad.RIGHT : StringMethods.Pad.LEFT);
    }
}
