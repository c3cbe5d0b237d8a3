package org.maniple.tokenizer.hf;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Copies what a caller hands to a template into values of a template; anything else a caller might hand over is refused. */
final class TemplateInput {
    private static final int DEEPEST = 100;

    private TemplateInput() {}

    static @Nullable Object value(@Nullable Object value) {
        return value(value, 0);
    }

    private static @Nullable Object value(@Nullable Object value, int depth) {
        if (depth > DEEPEST) {
            throw TemplateException.limit("a value is nested more than " + DEEPEST + " deep");
        }
        return switch (value) {
            case null -> null;
            case String text -> text;
            case Boolean flag -> flag;
            case Long number -> number;
            case Integer number -> number.longValue();
            case Double number -> number;
            case Short number -> number.longValue();
            case Byte number -> number.longValue();
            case Float number -> number.doubleValue();
            case BigInteger number when number.bitLength() < Long.SIZE -> number.longValue();
            case Number number -> number.doubleValue();
            case List<?> list -> {
                var copy = new ArrayList<@Nullable Object>(list.size());
                for (var element : list) {
                    copy.add(value(element, depth + 1));
                }
                yield copy;
            }
            case Map<?, ?> map -> {
                var copy = new LinkedHashMap<@Nullable Object, @Nullable Object>();
                for (var entry : map.entrySet()) {
                    copy.put(PythonValues.key(value(entry.getKey(), depth + 1)), value(entry.getValue(), depth + 1));
                }
                yield copy;
            }
            default -> throw TemplateException.failed("a " + value.getClass().getSimpleName()
                    + " cannot be given to a template; it takes null, booleans, numbers, strings, lists and maps");
        };
    }
}
