package org.maniple.tokenizer.hf;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** {@code value.name} and {@code value[key]}: fields, elements and the few methods of strings, lists and maps. */
record Attributes(Evaluator evaluator) {

    /** {@code value.name}: a method or field first, then a map's entry. */
    @Nullable
    Object attribute(@Nullable Object value, String name) {
        var own = own(value, name);
        if (own != null) {
            return own;
        }
        return switch (value) {
            case TemplateObject.Undefined undefined -> throw undefined.failure();
            case TemplateObject.Namespace namespace when namespace.has(name) -> namespace.get(name);
            case Map<?, ?> map when map.containsKey(name) -> map.get(name);
            case null, default -> missing(value, name);
        };
    }

    /** {@code value[key]}: an element or entry first, then, where the key is a string, a method or field. */
    @Nullable
    Object item(@Nullable Object value, @Nullable Object key) {
        if (value instanceof TemplateObject.Undefined undefined) {
            throw undefined.failure();
        }
        if (value instanceof Map<?, ?> map && map.containsKey(PythonValues.key(key))) {
            return map.get(PythonValues.key(key));
        }
        if (key instanceof Long || key instanceof Boolean) {
            long index = PythonMath.toLong(key);
            if (value instanceof List<?> list) {
                long at = index < 0 ? index + list.size() : index;
                return at >= 0 && at < list.size() ? list.get((int) at) : missing(value, Long.toString(index));
            }
            if (value instanceof String text) {
                return character(text, index);
            }
        }
        if (key instanceof String name) {
            var own = own(value, name);
            return own != null ? own : missing(value, name);
        }
        return missing(value, PythonText.str(key, evaluator.budget()));
    }

    private Object character(String text, long index) {
        evaluator.budget().work(text.length() / 64);
        int length = PythonStrings.length(text);
        long at = index < 0 ? index + length : index;
        return at >= 0 && at < length ? PythonStrings.charAt(text, (int) at) : missing(text, Long.toString(index));
    }

    private @Nullable Object own(@Nullable Object value, String name) {
        return switch (value) {
            case String text -> StringMethods.find(text, name, evaluator);
            case TemplateObject.Group group when name.equals("grouper") -> group.get(0);
            case TemplateObject.Group group when name.equals("list") -> group.get(1);
            case List<?> list -> CollectionMethods.find(list, name, evaluator);
            case Map<?, ?> map -> CollectionMethods.find(map, name);
            case TemplateObject.Loop loop -> loop.field(name);
            case Cycler cycler -> cycler.field(name);
            case null, default -> null;
        };
    }

    private static TemplateObject.Undefined missing(@Nullable Object value, String name) {
        return new TemplateObject.Undefined(PythonValues.type(value) + " object has no element '" + name + "'");
    }

    /** What an attribute path such as {@code "function.name"} or an index leads to, for {@code map(attribute=…)} and others. */
    Function<@Nullable Object, @Nullable Object> path(@Nullable Object path, @Nullable Object otherwise) {
        if (!(path instanceof String text)) {
            return value -> orElse(item(value, path), otherwise);
        }
        var parts = text.split("\\.", -1);
        return value -> {
            var at = value;
            for (var part : parts) {
                boolean index = !part.isEmpty() && part.length() < 10 && part.chars().allMatch(c -> c >= '0' && c <= '9');
                at = orElse(item(at, index ? (Object) Long.valueOf(part) : part), otherwise);
            }
            return at;
        };
    }

    private static @Nullable Object orElse(@Nullable Object value, @Nullable Object otherwise) {
        return value instanceof TemplateObject.Undefined && otherwise != null ? otherwise : value;
    }
}
