package org.maniple.tokenizer.hf;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The tests a template can name: Jinja's. */
final class ValueTests {
    private static final Map<String, ValueTest> ALL = all();

    private ValueTests() {}

    static Optional<ValueTest> find(String name) {
        return Optional.ofNullable(ALL.get(name));
    }

    private interface OfValue {
        boolean test(@Nullable Object value);
    }

    private static Map<String, ValueTest> all() {
        var all = new HashMap<String, ValueTest>();
        kinds(all);
        comparisons(all);
        put(all, value -> value instanceof TemplateObject.Undefined, "undefined");
        put(all, value -> !(value instanceof TemplateObject.Undefined), "defined");
        put(all, value -> integer(value) % 2 != 0, "odd");
        put(all, value -> integer(value) % 2 == 0, "even");
        put(all, value -> value instanceof String text && isCased(text) && text.equals(PythonStrings.lower(text)), "lower");
        put(all, value -> value instanceof String text && isCased(text) && text.equals(PythonStrings.upper(text)), "upper");
        put(all, value -> value instanceof String name && Filters.find(name).isPresent(), "filter");
        put(all, value -> value instanceof String name && find(name).isPresent(), "test");
        all.put("divisibleby", (value, arguments, evaluator) -> PythonMath.compare(
                PythonMath.binary("%", value, arguments.bind("num").required("num"), evaluator.budget()), 0L) == 0);
        all.put("in", (value, arguments, evaluator) -> PythonValues.contains(arguments.bind("seq").required("seq"), value,
                evaluator.budget()));
        all.put("sameas", (value, arguments, evaluator) -> same(value, arguments.bind("other").required("other")));
        return Map.copyOf(all);
    }

    private static void kinds(Map<String, ValueTest> all) {
        put(all, value -> value == null, "none");
        put(all, value -> value instanceof Boolean, "boolean");
        put(all, value -> Boolean.TRUE.equals(value), "true");
        put(all, value -> Boolean.FALSE.equals(value), "false");
        put(all, value -> value instanceof Long, "integer");
        put(all, value -> value instanceof Double, "float");
        put(all, PythonValues::isNumber, "number");
        put(all, value -> value instanceof String, "string");
        put(all, value -> value instanceof Map<?, ?>, "mapping");
        put(all, value -> value instanceof String || value instanceof List<?> || value instanceof Map<?, ?>
                || value instanceof TemplateObject.Undefined, "sequence");
        put(all, PythonValues::isIterable, "iterable");
        put(all, value -> value instanceof TemplateObject.Function, "callable");
        put(all, value -> false, "escaped");
    }

    private static void comparisons(Map<String, ValueTest> all) {
        compare(all, "==", "eq", "equalto", "==");
        compare(all, "!=", "ne", "!=");
        compare(all, ">", "gt", "greaterthan", ">");
        compare(all, ">=", "ge", ">=");
        compare(all, "<", "lt", "lessthan", "<");
        compare(all, "<=", "le", "<=");
    }

    private static void compare(Map<String, ValueTest> all, String operator, String... names) {
        for (var name : names) {
            all.put(name, (value, arguments, evaluator) -> evaluator.compare(operator, value,
                    arguments.bind("other").required("other")));
        }
    }

    private static void put(Map<String, ValueTest> all, OfValue test, String name) {
        all.put(name, (value, arguments, evaluator) -> {
            arguments.bind();
            return test.test(value);
        });
    }

    private static long integer(@Nullable Object value) {
        if (value instanceof Double number && number == Math.rint(number)) {
            return number.longValue();
        }
        return PythonMath.toLong(value);
    }

    private static boolean isCased(String text) {
        return text.codePoints().anyMatch(point -> Character.isLowerCase(point) || Character.isUpperCase(point));
    }

    /** Identity; small values that Python shares count as identical when equal. */
    @SuppressWarnings("ReferenceEquality") // that is the question
    private static boolean same(@Nullable Object left, @Nullable Object right) {
        return left == right || left instanceof Boolean && left.equals(right) || left instanceof Long && left.equals(right)
                || left instanceof String && left.equals(right);
    }
}
