package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Values as JSON, spaced and escaped as Python's {@code json.dumps} does: models were trained on exactly that. */
final class JsonText {

    /**
     * How to write.
     *
     * @param asciiOnly everything beyond ASCII as {@code \\u} escapes
     * @param indent    what a level is indented by, or null for one line
     * @param comma     between elements
     * @param colon     between key and value
     * @param sorted    keys in order
     */
    record Style(boolean asciiOnly, @Nullable String indent, String comma, String colon, boolean sorted) {}

    private final StringBuilder out = new StringBuilder();
    private final Style style;
    private final RenderBudget budget;

    private JsonText(Style style, RenderBudget budget) {
        this.style = style;
        this.budget = budget;
    }

    static String write(@Nullable Object value, Style style, RenderBudget budget) {
        var json = new JsonText(style, budget);
        json.value(value, 0);
        return json.out.toString();
    }

    private void value(@Nullable Object value, int level) {
        budget.enter();
        switch (value) {
            case null -> out.append("null");
            case Boolean flag -> out.append((boolean) flag);
            case Long number -> out.append((long) number);
            case Double number -> out.append(number(number));
            case String text -> string(text);
            case TemplateObject.Range range -> throw unsupported(range);
            case List<?> list -> list(list, level);
            case Map<?, ?> map -> map(map, level);
            default -> throw unsupported(value);
        }
        budget.leave();
        if (out.length() > RenderBudget.LARGEST_TEXT) {
            budget.text(out.length());
        }
    }

    private static TemplateException unsupported(Object value) {
        return TemplateException.failed("Object of type " + PythonValues.type(value) + " is not JSON serializable");
    }

    private static String number(double value) {
        return Double.isNaN(value)
                ? "NaN"
                : Double.isInfinite(value) ? value > 0 ? "Infinity" : "-Infinity" : PythonMath.repr(value);
    }

    private void list(List<?> list, int level) {
        out.append('[');
        for (int i = 0; i < list.size(); i++) {
            separate(i, level + 1);
            value(list.get(i), level + 1);
        }
        close(list.isEmpty(), level, ']');
    }

    private void map(Map<?, ?> map, int level) {
        out.append('{');
        var entries = new ArrayList<Map.Entry<String, @Nullable Object>>();
        for (var entry : map.entrySet()) {
            entries.add(new java.util.AbstractMap.SimpleImmutableEntry<>(key(entry.getKey()), entry.getValue()));
        }
        if (style.sorted) {
            entries.sort(Map.Entry.comparingByKey(Comparator.nullsFirst(PythonStrings::compare)));
        }
        for (int i = 0; i < entries.size(); i++) {
            separate(i, level + 1);
            string(entries.get(i).getKey());
            out.append(style.colon);
            value(entries.get(i).getValue(), level + 1);
        }
        close(map.isEmpty(), level, '}');
    }

    private static String key(@Nullable Object key) {
        return switch (key) {
            case null -> "null";
            case String text -> text;
            case Boolean flag -> flag.toString();
            case Long number -> number.toString();
            case Double number -> number(number);
            default ->
                throw TemplateException.failed("keys must be str, int, float, bool or None, not " + PythonValues.type(key));
        };
    }

    private void separate(int index, int level) {
        out.append(index == 0 ? "" : style.comma);
        newline(level);
    }

    private void close(boolean empty, int level, char bracket) {
        if (!empty) {
            newline(level);
        }
        out.append(bracket);
    }

    private void newline(int level) {
        if (style.indent != null) {
            budget.text((long) style.indent.length() * level);
            out.append('\n').append(style.indent.repeat(level));
        }
    }

    private void string(String text) {
        budget.text(text.length());
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < 0x20 || style.asciiOnly && c > 0x7E) {
                        out.append("\\u%04x".formatted((int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
