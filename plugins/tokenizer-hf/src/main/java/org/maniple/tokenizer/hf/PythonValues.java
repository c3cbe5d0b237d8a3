package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Truth, equality, order, length and iteration of values, as in Python. */
final class PythonValues {
    private PythonValues() {}

    static boolean truth(@Nullable Object value) {
        return switch (value) {
            case null -> false;
            case Boolean flag -> flag;
            case Long number -> number != 0;
            case Double number -> number != 0;
            case String text -> !text.isEmpty();
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            case TemplateObject.Undefined undefined -> false;
            default -> true;
        };
    }

    /** Python's name of a value's type. */
    static String type(@Nullable Object value) {
        return switch (value) {
            case null -> "NoneType";
            case Boolean flag -> "bool";
            case Long number -> "int";
            case Double number -> "float";
            case String text -> "str";
            case TemplateObject.Tuple tuple -> "tuple";
            case List<?> list -> "list";
            case Map<?, ?> map -> "dict";
            case TemplateObject.Undefined undefined -> "Undefined";
            case TemplateObject.Namespace namespace -> "Namespace";
            default -> "function";
        };
    }

    static boolean isNumber(@Nullable Object value) {
        return value instanceof Long || value instanceof Double || value instanceof Boolean;
    }

    static boolean equal(@Nullable Object left, @Nullable Object right, RenderBudget budget) {
        budget.enter();
        try {
            if (isNumber(left) && isNumber(right)) {
                return PythonMath.compare(left, right) == 0;
            }
            if (left instanceof List<?> a && right instanceof List<?> b) {
                return equalLists(a, b, budget);
            }
            if (left instanceof Map<?, ?> a && right instanceof Map<?, ?> b) {
                return equalMaps(a, b, budget);
            }
            if (left instanceof TemplateObject.Undefined && right instanceof TemplateObject.Undefined) {
                return true;
            }
            return Objects.equals(left, right);
        } finally {
            budget.leave();
        }
    }

    private static boolean equalLists(List<?> a, List<?> b, RenderBudget budget) {
        if (a.size() != b.size() || a instanceof TemplateObject.Tuple != b instanceof TemplateObject.Tuple) {
            return false;
        }
        for (int i = 0; i < a.size(); i++) {
            if (!equal(a.get(i), b.get(i), budget)) {
                return false;
            }
        }
        return true;
    }

    private static boolean equalMaps(Map<?, ?> a, Map<?, ?> b, RenderBudget budget) {
        if (a.size() != b.size()) {
            return false;
        }
        for (var entry : a.entrySet()) {
            if (!b.containsKey(entry.getKey()) || !equal(entry.getValue(), b.get(entry.getKey()), budget)) {
                return false;
            }
        }
        return true;
    }

    /** Negative, zero or positive; values of different kinds have no order. */
    static int compare(@Nullable Object left, @Nullable Object right, RenderBudget budget) {
        budget.enter();
        try {
            if (isNumber(left) && isNumber(right)) {
                return PythonMath.compare(left, right);
            }
            if (left instanceof String a && right instanceof String b) {
                budget.work(Math.min(a.length(), b.length()) / 64);
                return PythonStrings.compare(a, b);
            }
            if (left instanceof List<?> a && right instanceof List<?> b) {
                for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
                    if (!equal(a.get(i), b.get(i), budget)) {
                        return compare(a.get(i), b.get(i), budget);
                    }
                }
                return Integer.compare(a.size(), b.size());
            }
            throw TemplateException.failed("'" + type(left) + "' and '" + type(right) + "' cannot be ordered");
        } finally {
            budget.leave();
        }
    }

    static boolean contains(@Nullable Object container, @Nullable Object value, RenderBudget budget) {
        if (container instanceof String text) {
            if (value instanceof String part) {
                budget.work(text.length() / 64);
                return text.contains(part);
            }
            throw TemplateException.failed("'in <string>' requires string as left operand, not " + type(value));
        }
        if (container instanceof Map<?, ?> map) {
            return map.containsKey(key(value));
        }
        for (var element : iterate(container)) {
            budget.step();
            if (equal(element, value, budget)) {
                return true;
            }
        }
        return false;
    }

    /** A value as a key of a map: numbers that are equal are one key, lists and maps are none. */
    static @Nullable Object key(@Nullable Object value) {
        return switch (value) {
            case Double number when number == Math.rint(number) && Math.abs(number) < 1e15 -> (Long) number.longValue();
            case Boolean flag -> (Long) (flag ? 1L : 0L);
            case TemplateObject.Tuple tuple -> tuple;
            case List<?> list -> throw TemplateException.failed("unhashable type: 'list'");
            case Map<?, ?> map -> throw TemplateException.failed("unhashable type: 'dict'");
            case null, default -> value;
        };
    }

    static int length(@Nullable Object value) {
        return switch (value) {
            case String text -> PythonStrings.length(text);
            case List<?> list -> list.size();
            case Map<?, ?> map -> map.size();
            case TemplateObject.Undefined undefined -> 0;
            case null, default -> throw TemplateException.failed("object of type '" + type(value) + "' has no len()");
        };
    }

    static boolean isIterable(@Nullable Object value) {
        return value instanceof String || value instanceof List<?> || value instanceof Map<?, ?>
                || value instanceof TemplateObject.Undefined;
    }

    /** The elements of a list, keys of a map or characters of a string. */
    static List<@Nullable Object> iterate(@Nullable Object value) {
        return switch (value) {
            case List<?> list -> cast(list);
            case Map<?, ?> map -> new ArrayList<>(map.keySet());
            case String text -> {
                var characters = new ArrayList<@Nullable Object>(text.length());
                text.codePoints().forEach(point -> characters.add(Character.toString(point)));
                yield characters;
            }
            case TemplateObject.Undefined undefined -> List.of();
            case null, default -> throw TemplateException.failed("'" + type(value) + "' object is not iterable");
        };
    }

    @SuppressWarnings("unchecked") // elements are only read, and every element is a template value
    private static List<@Nullable Object> cast(List<?> list) {
        return (List<@Nullable Object>) list;
    }
}
