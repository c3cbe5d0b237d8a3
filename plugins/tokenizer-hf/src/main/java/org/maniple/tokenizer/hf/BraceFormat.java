package org.maniple.tokenizer.hf;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code 'text {}'.format(values)}: fields by place or name with the usual specification; no attributes or indices inside fields. */
final class BraceFormat {
    private static final Pattern SPECIFICATION = Pattern.compile(
            "(?:(.)?([<>=^]))?([-+ ]?)(0?)([0-9]{0,9})([,_]?)(?:\\.([0-9]{1,9}))?([a-zA-Z%]?)",
            Pattern.DOTALL);

    private final String format;
    private final CallArguments arguments;
    private final Evaluator evaluator;
    private final StringBuilder out = new StringBuilder();
    private int next;

    BraceFormat(String format, CallArguments arguments, Evaluator evaluator) {
        this.format = format;
        this.arguments = arguments;
        this.evaluator = evaluator;
    }

    String format() {
        for (int at = 0; at < format.length(); at++) {
            char c = format.charAt(at);
            if (c != '{' && c != '}') {
                out.append(c);
            } else if (at + 1 < format.length() && format.charAt(at + 1) == c) {
                out.append(c);
                at++;
            } else {
                int end = c == '{' ? format.indexOf('}', at) : -1;
                if (end < 0) {
                    throw TemplateException.failed("Single '" + c + "' encountered in format string");
                }
                field(format.substring(at + 1, end));
                at = end;
            }
        }
        return out.toString();
    }

    private void field(String field) {
        int colon = field.indexOf(':');
        var name = colon < 0 ? field : field.substring(0, colon);
        boolean repr = name.endsWith("!r");
        var value = value(repr || name.endsWith("!s") ? name.substring(0, name.length() - 2) : name);
        out.append(
                written(repr ? PythonText.repr(value, evaluator.budget()) : value, colon < 0 ? "" : field.substring(colon + 1)));
        evaluator.budget().text(out.length());
    }

    private @Nullable Object value(String name) {
        if (name.isEmpty() || name.length() < 6 && name.chars().allMatch(c -> c >= '0' && c <= '9')) {
            int index = name.isEmpty() ? next++ : Integer.parseInt(name);
            if (index < arguments.positional().size()) {
                return arguments.positional().get(index);
            }
        } else if (arguments.named().containsKey(name)) {
            return arguments.named().get(name);
        }
        throw TemplateException.failed("no value for the field {" + name + "} of the format");
    }

    private String written(@Nullable Object value, String specification) {
        var parts = SPECIFICATION.matcher(specification);
        if (!parts.matches()) {
            throw TemplateException.failed("Invalid format specifier '" + specification + "'");
        }
        var form = parts.group(8);
        int precision = parts.group(7) == null ? -1 : Integer.parseInt(parts.group(7));
        int width = parts.group(5).isEmpty() ? 0 : Integer.parseInt(parts.group(5));
        if (width > NumberFormat.WIDEST) {
            throw TemplateException.limit("formats a field wider than " + NumberFormat.WIDEST);
        }
        boolean number = PythonValues.isNumber(value) && !form.equals("s") && !(value instanceof Boolean && form.isEmpty());
        var text = number ? number(value, form, precision, parts.group(6)) : text(value, form, precision);
        if (number && !text.startsWith("-")) {
            text = (parts.group(3).equals("-") ? "" : parts.group(3)) + text;
        }
        boolean zeros = !parts.group(4).isEmpty();
        var align = parts.group(2) != null ? parts.group(2) : zeros && number ? "=" : number ? ">" : "<";
        var filler = parts.group(1) != null ? parts.group(1) : zeros ? "0" : " ";
        return switch (align) {
            case "<" -> StringMethods.pad(text, width, filler, StringMethods.Pad.RIGHT);
            case ">" -> StringMethods.pad(text, width, filler, StringMethods.Pad.LEFT);
            case "^" -> StringMethods.pad(text, width, filler, StringMethods.Pad.BOTH);
            default -> afterSign(text, width, filler);
        };
    }

    private static String afterSign(String text, int width, String filler) {
        int sign = !text.isEmpty() && "+- ".indexOf(text.charAt(0)) >= 0 ? 1 : 0;
        return text.substring(0, sign) + StringMethods.pad(text.substring(sign), width - sign, filler, StringMethods.Pad.LEFT);
    }

    private String text(@Nullable Object value, String form, int precision) {
        if (!form.isEmpty() && !form.equals("s")) {
            throw TemplateException.failed("Unknown format code '" + form + "' for a " + PythonValues.type(value));
        }
        var text = evaluator.str(value);
        return precision < 0 ? text : PythonStrings.head(text, precision);
    }

    private static String number(@Nullable Object value, String form, int precision, String grouping) {
        var text = form.isEmpty()
                ? value instanceof Double number
                        ? precision < 0 ? PythonMath.repr(number) : NumberFormat.write(value, 'g', precision)
                        : Long.toString(PythonMath.toLong(value))
                : NumberFormat.write(value, form.charAt(0), precision);
        return grouping.isEmpty() ? text : grouped(text, grouping);
    }

    private static String grouped(String text, String separator) {
        int start = text.startsWith("-") ? 1 : 0;
        int end = start;
        while (end < text.length() && Character.isDigit(text.charAt(end))) {
            end++;
        }
        var out = new StringBuilder(text);
        for (int at = end - 3; at > start; at -= 3) {
            out.insert(at, separator);
        }
        return out.toString();
    }
}
