package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Runs the statements of a template. Belongs to one rendering. */
final class Interpreter {

    private enum Flow {
        ON, BREAK, CONTINUE
    }

    private final Evaluator evaluator;
    private final RenderBudget budget;

    Interpreter(Evaluator evaluator) {
        this.evaluator = evaluator;
        this.budget = evaluator.budget();
    }

    /** The text that {@code body} writes. */
    String write(List<Statement> body, Scope scope) {
        var out = new StringBuilder();
        run(body, scope, out);
        return out.toString();
    }

    private Flow run(List<Statement> body, Scope scope, StringBuilder out) {
        for (var statement : body) {
            budget.enter();
            evaluator.at(statement.line());
            var flow = run(statement, scope, out);
            budget.leave();
            if (flow != Flow.ON) {
                return flow;
            }
        }
        return Flow.ON;
    }

    private Flow run(Statement statement, Scope scope, StringBuilder out) {
        switch (statement) {
            case Statement.Text text -> append(text.text(), out);
            case Statement.Output output -> append(evaluator.str(evaluator.evaluate(output.value(), scope)), out);
            case Statement.If choice -> {
                return choose(choice, scope, out);
            }
            case Statement.For loop -> loop(loop, evaluator.evaluate(loop.iterable(), scope), 0, scope, out);
            case Statement.SetValue set -> assign(set.target(), evaluator.evaluate(set.value(), scope), scope);
            case Statement.SetBlock set ->
                assign(set.target(), filtered(set.filtered(), write(set.body(), new Scope(scope)), scope), scope);
            case Statement.Macro macro -> scope.set(macro.name(), function(macro, scope));
            case Statement.CallBlock block -> append(
                    evaluator.str(evaluator.call(block.call(), scope, Optional.of(function(block.caller(), scope)))), out);
            case Statement.FilterBlock block -> append(
                    evaluator.str(filtered(block.filtered(), write(block.body(), new Scope(scope)), scope)), out);
            case Statement.With with -> {
                return with(with, scope, out);
            }
            case Statement.Group group -> {
                return run(group.body(), scope, out);
            }
            case Statement.Break stop -> {
                return Flow.BREAK;
            }
            case Statement.Continue next -> {
                return Flow.CONTINUE;
            }
        }
        return Flow.ON;
    }

    private void append(String text, StringBuilder out) {
        long length = (long) out.length() + text.length();
        budget.text(length > RenderBudget.LARGEST_TEXT ? length : text.length());
        out.append(text);
    }

    private Flow choose(Statement.If choice, Scope scope, StringBuilder out) {
        for (var branch : choice.branches()) {
            if (evaluator.holds(branch.condition(), scope)) {
                return run(branch.body(), scope, out);
            }
        }
        return run(choice.otherwise(), scope, out);
    }

    private Flow with(Statement.With with, Scope scope, StringBuilder out) {
        var values = new ArrayList<@Nullable Object>();
        for (var value : with.values()) {
            values.add(evaluator.evaluate(value, scope));
        }
        var inside = new Scope(scope);
        for (int i = 0; i < values.size(); i++) {
            assign(with.targets().get(i), values.get(i), inside);
        }
        return run(with.body(), inside, out);
    }

    private void loop(Statement.For loop, @Nullable Object iterable, int depth, Scope scope, StringBuilder out) {
        var elements = chosen(loop, evaluator.elements(iterable), scope);
        if (elements.isEmpty()) {
            run(loop.otherwise(), new Scope(scope), out);
            return;
        }
        Optional<TemplateObject.Function> again = loop.recursive()
                ? Optional.of(arguments -> recur(loop, arguments, depth + 1, scope))
                : Optional.empty();
        var state = new LoopValue(elements, depth, again, budget);
        for (int i = 0; i < elements.size(); i++) {
            budget.turn();
            state.moveTo(i);
            var inside = new Scope(scope);
            inside.set("loop", state);
            assign(loop.target(), elements.get(i), inside);
            if (run(loop.body(), inside, out) == Flow.BREAK) {
                return;
            }
        }
    }

    private Object recur(Statement.For loop, CallArguments arguments, int depth, Scope scope) {
        budget.enterCall();
        var out = new StringBuilder();
        loop(loop, arguments.bind("iterable").required("iterable"), depth, scope, out);
        budget.leaveCall();
        return out.toString();
    }

    private List<@Nullable Object> chosen(Statement.For loop, List<@Nullable Object> elements, Scope scope) {
        if (loop.filter().isEmpty()) {
            return elements;
        }
        var chosen = new ArrayList<@Nullable Object>();
        for (var element : elements) {
            budget.turn();
            var inside = new Scope(scope);
            assign(loop.target(), element, inside);
            if (evaluator.holds(loop.filter().get(), inside)) {
                chosen.add(element);
            }
        }
        return chosen;
    }

    private @Nullable Object filtered(Expression filters, String text, Scope scope) {
        var inside = new Scope(scope);
        inside.set("", text);
        return evaluator.evaluate(filters, inside);
    }

    private void assign(Statement.Target target, @Nullable Object value, Scope scope) {
        switch (target) {
            case Statement.Target.Variable variable -> scope.set(variable.name(), value);
            case Statement.Target.Unpack unpack -> {
                var values = evaluator.elements(value);
                if (values.size() != unpack.targets().size()) {
                    throw TemplateException
                            .failed("expected " + unpack.targets().size() + " values to unpack, found " + values.size());
                }
                for (int i = 0; i < values.size(); i++) {
                    assign(unpack.targets().get(i), values.get(i), scope);
                }
            }
            case Statement.Target.NamespaceField field -> {
                if (!(scope.get(field.namespace()) instanceof TemplateObject.Namespace namespace)) {
                    throw TemplateException.failed("cannot assign attribute on non-namespace object '" + field.namespace() + "'");
                }
                namespace.set(field.field(), value);
            }
        }
    }

    private TemplateObject.Function function(Statement.Macro macro, Scope scope) {
        return arguments -> {
            budget.enterCall();
            var inside = new Scope(scope);
            bind(macro, arguments, inside);
            var text = write(macro.body(), inside);
            budget.leaveCall();
            return text;
        };
    }

    private void bind(Statement.Macro macro, CallArguments arguments, Scope inside) {
        var names = new ArrayList<>(macro.parameters().stream().map(Statement.Parameter::name).toList());
        var caller = arguments.named().remove("caller");
        var given = new CallArguments("macro '" + macro.name() + "'", arguments.positional(), arguments.named())
                .bind(names.toArray(String[]::new));
        inside.set("caller", caller == null ? new TemplateObject.Undefined("caller") : caller);
        for (var parameter : macro.parameters()) {
            if (given.has(parameter.name())) {
                inside.set(parameter.name(), given.get(parameter.name(), null));
            } else {
                inside.set(parameter.name(), parameter.otherwise().isPresent()
                        ? evaluator.evaluate(parameter.otherwise().get(), inside)
                        : new TemplateObject.Undefined(parameter.name()));
            }
        }
    }
}
