package org.maniple.tokenizer.hf;

import java.util.List;
import java.util.Optional;

/** A statement of a template. */
sealed interface Statement {

    /** The line it stands on, from 1. */
    int line();

    record Text(int line, String text) implements Statement {}

    record Output(int line, Expression value) implements Statement {}

    record If(int line, List<Branch> branches, List<Statement> otherwise) implements Statement {}

    record Branch(Expression condition, List<Statement> body) {}

    record For(int line, Target target, Expression iterable, Optional<Expression> filter, List<Statement> body,
            List<Statement> otherwise, boolean recursive) implements Statement {}

    record SetValue(int line, Target target, Expression value) implements Statement {}

    /** {@code set x}…{@code endset}: the text of the body, through the filters (which begin with a BlockText). */
    record SetBlock(int line, Target target, Expression filtered, List<Statement> body) implements Statement {}

    record Macro(int line, String name, List<Parameter> parameters, List<Statement> body) implements Statement {}

    record Parameter(String name, Optional<Expression> otherwise) {}

    /** {@code call(parameters) macro(…)}: the body is what {@code caller} writes. */
    record CallBlock(int line, Macro caller, Expression.Call call) implements Statement {}

    record FilterBlock(int line, Expression filtered, List<Statement> body) implements Statement {}

    record With(int line, List<Target> targets, List<Expression> values, List<Statement> body) implements Statement {}

    record Break(int line) implements Statement {}

    record Continue(int line) implements Statement {}

    /** Statements that only stand together, such as the body of {@code generation}. */
    record Group(int line, List<Statement> body) implements Statement {}

    /** What a value is assigned to. */
    sealed interface Target {
        record Variable(String name) implements Target {}

        record Unpack(List<Target> targets) implements Target {}

        record NamespaceField(String namespace, String field) implements Target {}
    }
}
