package org.maniple.tokenizer.hf;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions every chat template can call. */
final class TemplateGlobals {
    private final Clock clock;
    private final RenderBudget budget;

    TemplateGlobals(Clock clock, RenderBudget budget) {
        this.clock = clock;
        this.budget = budget;
    }

    Scope scope() {
        var scope = new Scope(null);
        // templates may ask whether "self" is defined; there is nothing in it
        scope.set("self", new TemplateObject.Namespace(Map.of()));
        define(scope, "range", this::range);
        define(scope, "dict", arguments -> fields(arguments));
        define(scope, "namespace", arguments -> new TemplateObject.Namespace(namespaceFields(arguments)));
        define(scope, "cycler", arguments -> new Cycler(arguments.positional()));
        define(scope, "joiner", this::joiner);
        define(scope, "raise_exception", this::raise);
        define(scope, "strftime_now", arguments -> budget
                .made(TimeFormat.format(arguments.bind("format").text("format", ""), ZonedDateTime.now(clock))));
        return scope;
    }

    private static void define(Scope scope, String name, TemplateObject.Function function) {
        scope.set(name, (TemplateObject.Function) arguments -> function
                .call(new CallArguments(name, arguments.positional(), arguments.named())));
    }

    private Object range(CallArguments arguments) {
        var given = arguments.positional().size() == 1 ? arguments.bind("stop") : arguments.bind("start", "stop", "step");
        long start = given.integer("start").orElse(0);
        given.required("stop");
        long stop = given.integer("stop").orElseThrow(() -> TemplateException.failed("range needs integers"));
        long step = given.integer("step").orElse(1);
        if (step == 0) {
            throw TemplateException.failed("range() arg 3 must not be zero");
        }
        try {
            long span = Math.subtractExact(stop, start);
            long count = span == 0 || span > 0 != step > 0
                    ? 0
                    : Math.addExact(Math.subtractExact(span, Long.signum(step)) / step, 1);
            if (count > RenderBudget.LONGEST_LIST) {
                throw TemplateException.limit("range of " + count + " elements; the limit is " + RenderBudget.LONGEST_LIST);
            }
            return new TemplateObject.Range(start, step, (int) count);
        } catch (ArithmeticException e) {
            throw TemplateException.limit("range is too long");
        }
    }

    private Map<@Nullable Object, @Nullable Object> fields(CallArguments arguments) {
        var map = new LinkedHashMap<@Nullable Object, @Nullable Object>();
        if (arguments.positional().size() > 1) {
            throw TemplateException.failed(arguments.callee() + " takes at most one mapping");
        }
        for (var given : arguments.positional()) {
            if (given instanceof Map<?, ?> other) {
                map.putAll(other);
                continue;
            }
            for (var pair : PythonValues.iterate(given)) {
                var halves = PythonValues.iterate(pair);
                if (halves.size() != 2) {
                    throw TemplateException.failed(arguments.callee() + " needs pairs of key and value");
                }
                map.put(PythonValues.key(halves.get(0)), halves.get(1));
            }
        }
        budget.list(map.size());
        map.putAll(arguments.named());
        return map;
    }

    private Map<String, @Nullable Object> namespaceFields(CallArguments arguments) {
        var fields = new LinkedHashMap<String, @Nullable Object>();
        fields(arguments).forEach((key, value) -> fields.put(PythonText.str(key, budget), value));
        return fields;
    }

    private Object joiner(CallArguments arguments) {
        var separator = arguments.bind("sep").get("sep", ", ");
        boolean[] used = {false};
        return (TemplateObject.Function) ignored -> {
            boolean again = used[0];
            used[0] = true;
            return again ? separator : "";
        };
    }

    private Object raise(CallArguments arguments) {
        var message = arguments.bind("message").get("message", "");
        throw new TemplateException(TemplateException.Kind.RAISED, 0, PythonText.str(message, budget));
    }
}
