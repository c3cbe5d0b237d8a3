package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** {@code map}, {@code select} and their relatives: filters that apply filters or tests to every element. */
final class SelectionFilters {
    static final Map<String, Filter> ALL = Map.of(
            "map", SelectionFilters::map,
            "select", (input, arguments, evaluator) -> choose(input, arguments, evaluator, false, true),
            "reject", (input, arguments, evaluator) -> choose(input, arguments, evaluator, false, false),
            "selectattr", (input, arguments, evaluator) -> choose(input, arguments, evaluator, true, true),
            "rejectattr", (input, arguments, evaluator) -> choose(input, arguments, evaluator, true, false));

    private SelectionFilters() {}

    private static Object map(@Nullable Object input, CallArguments arguments, Evaluator evaluator) {
        var function = mapping(arguments, evaluator);
        var out = new ArrayList<@Nullable Object>();
        for (var element : elements(input, evaluator)) {
            evaluator.budget().step();
            out.add(function.apply(element));
        }
        return out;
    }

    /** What is false has no elements here, even where it could not have any. */
    private static List<@Nullable Object> elements(@Nullable Object input, Evaluator evaluator) {
        return PythonValues.truth(input) ? evaluator.elements(input) : List.of();
    }

    private static Function<@Nullable Object, @Nullable Object> mapping(CallArguments arguments, Evaluator evaluator) {
        if (arguments.positional().isEmpty()) {
            var given = arguments.bind("attribute", "default");
            return evaluator.attributes().path(given.required("attribute"), given.get("default", null));
        }
        var name = name(arguments.positional().getFirst(), "filter");
        var filter = Filters.find(name).orElseThrow(() -> TemplateException.failed("No filter named '" + name + "'."));
        var rest = new CallArguments(name, tail(arguments.positional(), 1), arguments.named());
        return element -> filter.apply(element, rest, evaluator);
    }

    private static Object choose(@Nullable Object input, CallArguments arguments, Evaluator evaluator, boolean byAttribute,
            boolean wanted) {
        var out = new ArrayList<@Nullable Object>();
        var accepts = predicate(arguments, evaluator, byAttribute);
        for (var element : elements(input, evaluator)) {
            evaluator.budget().step();
            if (accepts.test(element) == wanted) {
                out.add(element);
            }
        }
        return out;
    }

    private static Predicate<@Nullable Object> predicate(CallArguments arguments, Evaluator evaluator, boolean byAttribute) {
        List<@Nullable Object> positional = arguments.positional();
        if (byAttribute && positional.isEmpty()) {
            throw TemplateException.failed("Missing parameter for attribute name");
        }
        Function<@Nullable Object, @Nullable Object> subject = byAttribute
                ? evaluator.attributes().path(positional.getFirst(), null)
                : value -> value;
        int used = byAttribute ? 1 : 0;
        if (positional.size() == used) {
            return element -> PythonValues.truth(subject.apply(element));
        }
        var name = name(positional.get(used), "test");
        var test = ValueTests.find(name).orElseThrow(() -> TemplateException.failed("No test named '" + name + "'."));
        var rest = new CallArguments(name, tail(positional, used + 1), arguments.named());
        return element -> test.test(subject.apply(element), rest, evaluator);
    }

    private static String name(@Nullable Object value, String what) {
        if (value instanceof String name) {
            return name;
        }
        throw TemplateException.failed("expected the name of a " + what + ", found '" + PythonValues.type(value) + "'");
    }

    private static List<@Nullable Object> tail(List<@Nullable Object> list, int from) {
        return list.subList(from, list.size());
    }
}
