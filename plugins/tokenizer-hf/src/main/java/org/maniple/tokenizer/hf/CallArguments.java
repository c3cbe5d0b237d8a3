package org.maniple.tokenizer.hf;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** The values given to a call, a filter or a test. */
record CallArguments(String callee, List<@Nullable Object> positional, Map<String, @Nullable Object> named) {

    static CallArguments none(String callee) {
        return new CallArguments(callee, List.of(), Map.of());
    }

    /** The values by parameter name; complains about values without a parameter and about parameters given twice. */
    Bound bind(String... parameters) {
        if (positional.size() > parameters.length) {
            throw TemplateException
                    .failed(callee + " takes at most " + parameters.length + " arguments, " + positional.size() + " given");
        }
        var values = new LinkedHashMap<String, @Nullable Object>();
        for (int i = 0; i < positional.size(); i++) {
            values.put(parameters[i], positional.get(i));
        }
        named.forEach((name, value) -> {
            if (!Arrays.asList(parameters).contains(name)) {
                throw TemplateException.failed(callee + " got an unexpected keyword argument '" + name + "'");
            }
            if (values.containsKey(name)) {
                throw TemplateException.failed(callee + " got multiple values for argument '" + name + "'");
            }
            values.put(name, value);
        });
        return new Bound(callee, values);
    }

    /** Arguments by parameter name. */
    record Bound(String callee, Map<String, @Nullable Object> values) {

        boolean has(String name) {
            return values.containsKey(name);
        }

        @Nullable
        Object get(String name, @Nullable Object otherwise) {
            return values.containsKey(name) ? values.get(name) : otherwise;
        }

        @Nullable
        Object required(String name) {
            if (!values.containsKey(name)) {
                throw TemplateException.failed(callee + " misses the argument '" + name + "'");
            }
            return values.get(name);
        }

        boolean flag(String name, boolean otherwise) {
            return values.containsKey(name) ? PythonValues.truth(values.get(name)) : otherwise;
        }

        String text(String name, String otherwise) {
            var value = get(name, otherwise);
            if (value instanceof String text) {
                return text;
            }
            throw wrong(name, "a string", value);
        }

        /** A string, or null where it is absent or none. */
        @Nullable
        String optionalText(String name) {
            return get(name, null) == null ? null : text(name, "");
        }

        OptionalLong integer(String name) {
            var value = get(name, null);
            if (value == null) {
                return OptionalLong.empty();
            }
            if (value instanceof Long number) {
                return OptionalLong.of(number);
            }
            if (value instanceof Boolean flag) {
                return OptionalLong.of(flag ? 1 : 0);
            }
            throw wrong(name, "an integer", value);
        }

        /** A number that says how much is made of something, bounded so that it cannot be too much. */
        int amount(String name, int otherwise) {
            long value = integer(name).orElse(otherwise);
            if (Math.abs(value) > RenderBudget.LONGEST_LIST) {
                throw TemplateException.limit("the argument '" + name + "' of " + callee + " is " + value + ", beyond "
                        + RenderBudget.LONGEST_LIST);
            }
            return (int) value;
        }

        private TemplateException wrong(String name, String expected, @Nullable Object value) {
            return TemplateException
                    .failed("the argument '" + name + "' of " + callee + " must be " + expected + ", not "
                            + PythonValues.type(value));
        }
    }
}
