package org.maniple.tokenizer.hf;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Python's {@code str} and {@code repr} of values. */
final class PythonText {
    private final StringBuilder out = new StringBuilder();
    private final RenderBudget budget;

    private PythonText(RenderBudget budget) {
        this.budget = budget;
    }

    static String str(@Nullable Object value, RenderBudget budget) {
        return switch (value) {
            case String text -> text;
            case Long number -> Long.toString(number);
            case TemplateObject.Undefined undefined -> "";
            case null, default -> repr(value, budget);
        };
    }

    static String repr(@Nullable Object value, RenderBudget budget) {
        var text = new PythonText(budget);
        text.write(value);
        return text.out.toString();
    }

    private void write(@Nullable Object value) {
        budget.enter();
        switch (value) {
            case null -> out.append("None");
            case Boolean flag -> out.append(flag ? "True" : "False");
            case Long number -> out.append((long) number);
            case Double number -> out.append(PythonMath.repr(number));
            case String text -> quoted(text);
            case TemplateObject.Range range -> out.append(range.python());
            case TemplateObject.Tuple tuple -> elements("(", tuple, tuple.size() == 1 ? ",)" : ")");
            case List<?> list -> elements("[", list, "]");
            case Map<?, ?> map -> entries(map);
            case TemplateObject.Undefined undefined -> out.append("Undefined");
            default -> out.append('<').append(PythonValues.type(value)).append('>');
        }
        budget.leave();
        if (out.length() > RenderBudget.LARGEST_TEXT) {
            budget.text(out.length());
        }
    }

    private void elements(String open, List<?> list, String close) {
        out.append(open);
        for (int i = 0; i < list.size(); i++) {
            out.append(i == 0 ? "" : ", ");
            write(list.get(i));
        }
        out.append(close);
    }

    private void entries(Map<?, ?> map) {
        var separator = "{";
        for (var entry : map.entrySet()) {
            out.append(separator);
            write(entry.getKey());
            out.append(": ");
            write(entry.getValue());
            separator = ", ";
        }
        out.append(map.isEmpty() ? "{}" : "}");
    }

    private void quoted(String text) {
        budget.text(text.length());
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        text.codePoints().forEach(point -> character(point, quote));
        out.append(quote);
    }

    private void character(int point, char quote) {
        switch (point) {
            case '\n' -> out.append("\\n");
            case '\r' -> out.append("\\r");
            case '\t' -> out.append("\\t");
            case '\\' -> out.append("\\\\");
            default -> {
                if (point == quote) {
                    out.append('\\').append(quote);
                } else if (isPrintable(point)) {
                    out.appendCodePoint(point);
                } else {
                    out.append(point < 0x100
                            ? "\\x%02x".formatted(point)
                            : point < 0x10000 ? "\\u%04x".formatted(point) : "\\U%08x".formatted(point));
                }
            }
        }
    }

    private static boolean isPrintable(int point) {
        return switch (Character.getType(point)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE, Character.UNASSIGNED,
                    Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR ->
                false;
            case Character.SPACE_SEPARATOR -> point == ' ';
            default -> true;
        };
    }
}
