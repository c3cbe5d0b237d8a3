package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Computes expressions. Belongs to one rendering. */
final class Evaluator {
    private final RenderBudget budget;
    private final Attributes attributes = new Attributes(this);
    private int line;

    Evaluator(RenderBudget budget) {
        this.budget = budget;
    }

    RenderBudget budget() {
        return budget;
    }

    Attributes attributes() {
        return attributes;
    }

    /** The line that is being worked on. */
    int line() {
        return line;
    }

    void at(int where) {
        line = where;
    }

    String str(@Nullable Object value) {
        return PythonText.str(value, budget);
    }

    /** The elements of a list, keys of a map or characters of a string, on the budget. */
    List<@Nullable Object> elements(@Nullable Object value) {
        var elements = PythonValues.iterate(value);
        budget.list(elements.size());
        return elements;
    }

    String join(String separator, List<? extends @Nullable Object> elements) {
        var out = new StringBuilder();
        for (int i = 0; i < elements.size(); i++) {
            var part = str(elements.get(i));
            budget.text(out.length() + (long) part.length() > RenderBudget.LARGEST_TEXT
                    ? out.length() + (long) part.length()
                    : part.length());
            out.append(i == 0 ? "" : separator).append(part);
        }
        return budget.made(out.toString());
    }

    @Nullable
    Object evaluate(Expression expression, Scope scope) {
        budget.enter();
        line = expression.line();
        var value = compute(expression, scope);
        budget.leave();
        return value;
    }

    boolean holds(Expression expression, Scope scope) {
        return PythonValues.truth(evaluate(expression, scope));
    }

    private @Nullable Object compute(Expression expression, Scope scope) {
        return switch (expression) {
            case Expression.Literal literal -> literal.value();
            case Expression.Name name -> scope.get(name.name());
            case Expression.BlockText block -> scope.get("");
            case Expression.ListOf list -> list(list, scope);
            case Expression.MapOf map -> map(map, scope);
            case Expression.Unary unary -> unary(unary, scope);
            case Expression.Binary binary -> binary(binary, scope);
            case Expression.Concat concat -> concat(concat, scope);
            case Expression.Compare compare -> compare(compare, scope);
            case Expression.Logical logical -> logical(logical, scope);
            case Expression.Not not -> !holds(not.operand(), scope);
            case Expression.Conditional conditional -> conditional(conditional, scope);
            case Expression.Attribute attribute -> attributes.attribute(evaluate(attribute.object(), scope), attribute.name());
            case Expression.Index index -> attributes.item(evaluate(index.object(), scope), evaluate(index.index(), scope));
            case Expression.Slice slice -> slice(slice, scope);
            case Expression.FilterCall filter -> filter(filter, scope);
            case Expression.TestCall test -> test(test, scope);
            case Expression.Call call -> call(call, scope, Optional.empty());
        };
    }

    private Object list(Expression.ListOf list, Scope scope) {
        var elements = new ArrayList<@Nullable Object>(list.elements().size());
        for (var element : list.elements()) {
            elements.add(evaluate(element, scope));
        }
        return list.tuple() ? new TemplateObject.Tuple(elements) : elements;
    }

    private Object map(Expression.MapOf map, Scope scope) {
        var entries = new LinkedHashMap<@Nullable Object, @Nullable Object>();
        for (int i = 0; i < map.keys().size(); i++) {
            entries.put(PythonValues.key(evaluate(map.keys().get(i), scope)), evaluate(map.values().get(i), scope));
        }
        return entries;
    }

    private @Nullable Object unary(Expression.Unary unary, Scope scope) {
        var value = evaluate(unary.operand(), scope);
        var negative = PythonMath.negate(value);
        return unary.operator() == '-' ? negative : value;
    }

    private @Nullable Object binary(Expression.Binary binary, Scope scope) {
        var left = evaluate(binary.left(), scope);
        var right = evaluate(binary.right(), scope);
        line = binary.line();
        return PythonMath.binary(binary.operator(), left, right, budget);
    }

    private Object concat(Expression.Concat concat, Scope scope) {
        var parts = new ArrayList<@Nullable Object>(concat.parts().size());
        for (var part : concat.parts()) {
            parts.add(evaluate(part, scope));
        }
        return join("", parts);
    }

    private Object compare(Expression.Compare compare, Scope scope) {
        var left = evaluate(compare.first(), scope);
        for (int i = 0; i < compare.operators().size(); i++) {
            var right = evaluate(compare.operands().get(i), scope);
            if (!compare(compare.operators().get(i), left, right)) {
                return false;
            }
            left = right;
        }
        return true;
    }

    boolean compare(String operator, @Nullable Object left, @Nullable Object right) {
        return switch (operator) {
            case "==" -> PythonValues.equal(left, right, budget);
            case "!=" -> !PythonValues.equal(left, right, budget);
            case "in" -> PythonValues.contains(right, left, budget);
            case "not in" -> !PythonValues.contains(right, left, budget);
            case "<" -> PythonValues.compare(left, right, budget) < 0;
            case "<=" -> PythonValues.compare(left, right, budget) <= 0;
            case ">" -> PythonValues.compare(left, right, budget) > 0;
            default -> PythonValues.compare(left, right, budget) >= 0;
        };
    }

    private @Nullable Object logical(Expression.Logical logical, Scope scope) {
        var left = evaluate(logical.left(), scope);
        return PythonValues.truth(left) == logical.and() ? evaluate(logical.right(), scope) : left;
    }

    private @Nullable Object conditional(Expression.Conditional conditional, Scope scope) {
        if (holds(conditional.condition(), scope)) {
            return evaluate(conditional.then(), scope);
        }
        return conditional.otherwise().isPresent()
                ? evaluate(conditional.otherwise().get(), scope)
                : new TemplateObject.Undefined(
                        "the else part that the inline if on line " + conditional.line() + " does not have");
    }

    private Object slice(Expression.Slice slice, Scope scope) {
        var object = evaluate(slice.object(), scope);
        var start = bound(slice.start(), scope);
        var stop = bound(slice.stop(), scope);
        var step = bound(slice.step(), scope);
        line = slice.line();
        return Slicing.slice(object, start, stop, step, budget);
    }

    private @Nullable Long bound(Optional<Expression> expression, Scope scope) {
        var value = expression.isPresent() ? evaluate(expression.get(), scope) : null;
        if (value == null) {
            return null;
        }
        if (value instanceof Long || value instanceof Boolean) {
            return PythonMath.toLong(value);
        }
        throw TemplateException.failed("slice indices must be integers or None, not " + PythonValues.type(value));
    }

    private @Nullable Object filter(Expression.FilterCall filter, Scope scope) {
        var input = evaluate(filter.input(), scope);
        var found = filter.filter().orElseThrow(() -> TemplateException.failed("No filter named '" + filter.name() + "'."));
        var arguments = arguments(filter.name(), filter.arguments(), scope);
        line = filter.line();
        return found.apply(input, arguments, this);
    }

    private Object test(Expression.TestCall test, Scope scope) {
        var input = evaluate(test.input(), scope);
        var found = test.test().orElseThrow(() -> TemplateException.failed("No test named '" + test.name() + "'."));
        var arguments = arguments(test.name(), test.arguments(), scope);
        line = test.line();
        return found.test(input, arguments, this) != test.negated();
    }

    /** Calls a function; {@code caller} is what a call block hands to it. */
    @Nullable
    Object call(Expression.Call call, Scope scope, Optional<TemplateObject.Function> caller) {
        var function = evaluate(call.function(), scope);
        var arguments = arguments("function", call.arguments(), scope);
        caller.ifPresent(value -> arguments.named().put("caller", value));
        line = call.line();
        return switch (function) {
            case TemplateObject.Function callable -> callable.call(arguments);
            case TemplateObject.Undefined undefined -> throw undefined.failure();
            case null, default -> throw TemplateException.failed("'" + PythonValues.type(function) + "' object is not callable");
        };
    }

    private CallArguments arguments(String callee, Expression.Arguments arguments, Scope scope) {
        var positional = new ArrayList<@Nullable Object>(arguments.positional().size());
        for (var argument : arguments.positional()) {
            positional.add(evaluate(argument, scope));
        }
        Map<String, @Nullable Object> named = new LinkedHashMap<>();
        arguments.named().forEach((name, argument) -> named.put(name, evaluate(argument, scope)));
        return new CallArguments(callee, positional, named);
    }
}
