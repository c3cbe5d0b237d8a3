package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Filters on lists and maps: order, ends, sums, joining, cutting. */
final class SequenceFilters {
    static final Map<String, Filter> ALL = Map.ofEntries(
            Map.entry("length", (input, arguments, evaluator) -> (long) PythonValues.length(input)),
            Map.entry("count", (input, arguments, evaluator) -> (long) PythonValues.length(input)),
            Map.entry("list", (input, arguments, evaluator) -> new ArrayList<>(evaluator.elements(input))),
            Map.entry("first", (input, arguments, evaluator) -> end(evaluator.elements(input), true)),
            Map.entry("last", (input, arguments, evaluator) -> end(evaluator.elements(input), false)),
            Map.entry("reverse", SequenceFilters::reverse),
            Map.entry("join", SequenceFilters::join),
            Map.entry("sort", SequenceFilters::sort),
            Map.entry("unique", SequenceFilters::unique),
            Map.entry("min", (input, arguments, evaluator) -> extreme(input, arguments, evaluator, -1)),
            Map.entry("max", (input, arguments, evaluator) -> extreme(input, arguments, evaluator, 1)),
            Map.entry("sum", SequenceFilters::sum),
            Map.entry("items", SequenceFilters::items),
            Map.entry("dictsort", SequenceFilters::dictsort),
            Map.entry("groupby", SequenceFilters::groupby),
            Map.entry("batch", SequenceFilters::batch),
            Map.entry("slice", SequenceFilters::slice));

    private SequenceFilters() {}

    private static @Nullable Object end(List<@Nullable Object> elements, boolean first) {
        if (elements.isEmpty()) {
            return new TemplateObject.Undefined("the " + (first ? "first" : "last") + " element of an empty sequence");
        }
        return first ? elements.getFirst() : elements.getLast();
    }

    private static Object reverse(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        arguments.bind();
        if (input instanceof String text) {
            return new StringBuilder(text).reverse().toString();
        }
        var elements = new ArrayList<>(evaluator.elements(input));
        Collections.reverse(elements);
        return elements;
    }

    private static List<@Nullable Object> mapped(List<@Nullable Object> elements,
            Function<@Nullable Object, @Nullable Object> function) {
        var mapped = new ArrayList<@Nullable Object>(elements.size());
        for (var element : elements) {
            mapped.add(function.apply(element));
        }
        return mapped;
    }

    private static Object join(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("d", "attribute");
        var elements = evaluator.elements(input);
        if (given.get("attribute", null) != null) {
            elements = mapped(elements, evaluator.attributes().path(given.get("attribute", null), null));
        }
        return evaluator.join(evaluator.str(given.get("d", "")), elements);
    }

    /** Order as in Jinja: texts without regard to case unless asked. */
    private static Comparator<@Nullable Object> order(boolean caseSensitive, Evaluator evaluator) {
        return (left, right) -> PythonValues.compare(folded(left, caseSensitive), folded(right, caseSensitive),
                evaluator.budget());
    }

    private static @Nullable Object folded(@Nullable Object value, boolean caseSensitive) {
        return value instanceof String text && !caseSensitive ? PythonStrings.lower(text) : value;
    }

    private static Object sort(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("reverse", "case_sensitive", "attribute");
        Comparator<@Nullable Object> order = order(given.flag("case_sensitive", false), evaluator);
        if (given.get("attribute", null) != null) {
            order = Comparator.comparing(evaluator.attributes().path(given.get("attribute", null), null), order);
        }
        return sorted(evaluator.elements(input), given.flag("reverse", false) ? order.reversed() : order);
    }

    private static List<@Nullable Object> sorted(List<@Nullable Object> elements, Comparator<@Nullable Object> order) {
        var copy = new ArrayList<@Nullable Object>(elements);
        try {
            copy.sort(order);
        } catch (IllegalArgumentException notAnOrder) {
            throw TemplateException.failed("the values have no consistent order (NaN?)");
        }
        return copy;
    }

    private static Object unique(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("case_sensitive", "attribute");
        Function<@Nullable Object, @Nullable Object> key = given.get("attribute", null) == null
                ? value -> value
                : evaluator.attributes().path(given.get("attribute", null), null);
        var seen = new LinkedHashMap<@Nullable Object, @Nullable Object>();
        for (var element : evaluator.elements(input)) {
            var folded = PythonValues.key(folded(key.apply(element), given.flag("case_sensitive", false)));
            if (!seen.containsKey(folded)) {
                seen.put(folded, element);
            }
        }
        return new ArrayList<>(seen.values());
    }

    private static @Nullable Object extreme(@Nullable Object input, CallArguments arguments, Evaluator evaluator, int sign) {
        var given = arguments.bind("case_sensitive", "attribute");
        Comparator<@Nullable Object> order = order(given.flag("case_sensitive", false), evaluator);
        if (given.get("attribute", null) != null) {
            order = Comparator.comparing(evaluator.attributes().path(given.get("attribute", null), null), order);
        }
        var elements = evaluator.elements(input);
        if (elements.isEmpty()) {
            return new TemplateObject.Undefined("an element of an empty sequence");
        }
        var best = elements.getFirst();
        for (var element : elements) {
            best = order.compare(element, best) * sign > 0 ? element : best;
        }
        return best;
    }

    private static @Nullable Object sum(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("attribute", "start");
        var elements = evaluator.elements(input);
        if (given.get("attribute", null) != null) {
            elements = mapped(elements, evaluator.attributes().path(given.get("attribute", null), null));
        }
        var total = given.get("start", 0L);
        for (var element : elements) {
            total = PythonMath.binary("+", total, element, evaluator.budget());
        }
        return total;
    }

    private static Object items(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        arguments.bind();
        if (input instanceof TemplateObject.Undefined) {
            return List.of();
        }
        if (input instanceof Map<?, ?> map) {
            return CollectionMethods.items(map);
        }
        throw TemplateException.failed("Can only get item pairs from a mapping.");
    }

    private static Object dictsort(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("case_sensitive", "by", "reverse");
        if (!(input instanceof Map<?, ?> map)) {
            throw TemplateException.failed("dictsort needs a mapping");
        }
        int half = switch (given.text("by", "key")) {
            case "key" -> 0;
            case "value" -> 1;
            default -> throw TemplateException.failed("You can only sort by either \"key\" or \"value\"");
        };
        Comparator<@Nullable Object> order = Comparator.comparing(
                pair -> ((List<?>) java.util.Objects.requireNonNull(pair)).get(half),
                order(given.flag("case_sensitive", false), evaluator));
        return sorted(CollectionMethods.items(map), given.flag("reverse", false) ? order.reversed() : order);
    }

    private static Object groupby(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("attribute", "default", "case_sensitive");
        var key = evaluator.attributes().path(given.required("attribute"), given.get("default", null));
        var order = order(given.flag("case_sensitive", false), evaluator);
        var groups = new ArrayList<@Nullable Object>();
        List<@Nullable Object> members = List.of();
        Object groupKey = null;
        for (var element : sorted(evaluator.elements(input), Comparator.comparing(key, order))) {
            var elementKey = key.apply(element);
            if (groups.isEmpty() || order.compare(groupKey, elementKey) != 0) {
                members = new ArrayList<>();
                groupKey = elementKey;
                groups.add(new TemplateObject.Group(groupKey, members));
            }
            members.add(element);
        }
        return groups;
    }

    private static Object batch(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("linecount", "fill_with");
        int size = Math.max(1, given.amount("linecount", 1));
        var elements = evaluator.elements(input);
        var batches = new ArrayList<@Nullable Object>();
        for (int i = 0; i < elements.size(); i += size) {
            var batch = new ArrayList<@Nullable Object>(elements.subList(i, Math.min(elements.size(), i + size)));
            fill(batch, size, given.get("fill_with", null), evaluator);
            batches.add(batch);
        }
        return batches;
    }

    private static void fill(List<@Nullable Object> list, int size, @Nullable Object filler, Evaluator evaluator) {
        if (filler != null && list.size() < size) {
            evaluator.budget().list(size);
            list.addAll(Collections.nCopies(size - list.size(), filler));
        }
    }

    private static Object slice(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var given = arguments.bind("slices", "fill_with");
        int count = Math.max(1, given.amount("slices", 1));
        evaluator.budget().list(count);
        var elements = evaluator.elements(input);
        int least = elements.size() / count;
        int longer = elements.size() % count;
        var slices = new ArrayList<@Nullable Object>();
        int start = 0;
        for (int i = 0; i < count; i++) {
            int end = start + least + (i < longer ? 1 : 0);
            var slice = new ArrayList<@Nullable Object>(elements.subList(start, end));
            if (i >= longer && longer > 0) {
                fill(slice, least + 1, given.get("fill_with", null), evaluator);
            }
            slices.add(slice);
            start = end;
        }
        return slices;
    }
}
