package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The methods of Python's lists and maps that do not change them; the others are refused, as in the sandbox templates are written for. */
final class CollectionMethods {
    private static final Set<String> CHANGE_LISTS = Set.of("append", "extend", "insert", "pop", "remove", "reverse", "sort",
            "clear");
    private static final Set<String> CHANGE_MAPS = Set.of("update", "pop", "popitem", "setdefault", "clear");

    private CollectionMethods() {}

    static @Nullable Object find(List<?> list, String name, Evaluator evaluator) {
        return switch (name) {
            case "index" ->
                (TemplateObject.Function) arguments -> index(list, arguments.bind("value").required("value"), evaluator);
            case "count" ->
                (TemplateObject.Function) arguments -> count(list, arguments.bind("value").required("value"), evaluator);
            case "copy" -> (TemplateObject.Function) arguments -> new ArrayList<@Nullable Object>(list);
            default -> CHANGE_LISTS.contains(name) ? refusal("list." + name) : null;
        };
    }

    static @Nullable Object find(Map<?, ?> map, String name) {
        return switch (name) {
            case "items" -> (TemplateObject.Function) arguments -> items(map);
            case "keys" -> (TemplateObject.Function) arguments -> new ArrayList<@Nullable Object>(map.keySet());
            case "values" -> (TemplateObject.Function) arguments -> new ArrayList<@Nullable Object>(map.values());
            case "copy" -> (TemplateObject.Function) arguments -> new LinkedHashMap<@Nullable Object, @Nullable Object>(map);
            case "get" -> (TemplateObject.Function) arguments -> get(map, arguments);
            default -> CHANGE_MAPS.contains(name) ? refusal("dict." + name) : null;
        };
    }

    private static TemplateObject.Function refusal(String method) {
        return arguments -> {
            throw TemplateException.failed(method + " would change a value of the caller; templates cannot do that");
        };
    }

    private static @Nullable Object get(Map<?, ?> map, CallArguments arguments) {
        var given = arguments.bind("key", "default");
        var key = PythonValues.key(given.required("key"));
        return map.containsKey(key) ? map.get(key) : given.get("default", null);
    }

    static List<@Nullable Object> items(Map<?, ?> map) {
        var items = new ArrayList<@Nullable Object>(map.size());
        for (var entry : map.entrySet()) {
            var pair = new ArrayList<@Nullable Object>(2);
            pair.add(entry.getKey());
            pair.add(entry.getValue());
            items.add(new TemplateObject.Tuple(pair));
        }
        return items;
    }

    private static Object index(List<?> list, @Nullable Object value, Evaluator evaluator) {
        for (int i = 0; i < list.size(); i++) {
            if (PythonValues.equal(list.get(i), value, evaluator.budget())) {
                return (long) i;
            }
        }
        throw TemplateException.failed("the value is not in the list");
    }

    private static Object count(List<?> list, @Nullable Object value, Evaluator evaluator) {
        long count = 0;
        for (var element : list) {
            count += PythonValues.equal(element, value, evaluator.budget()) ? 1 : 0;
        }
        return count;
    }
}
