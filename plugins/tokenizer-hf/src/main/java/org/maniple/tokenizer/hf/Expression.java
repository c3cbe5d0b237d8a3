package org.maniple.tokenizer.hf;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** An expression of a template. */
sealed interface Expression {

    /** The line it stands on, from 1. */
    int line();

    record Literal(int line, @Nullable Object value) implements Expression {}

    record Name(int line, String name) implements Expression {}

    record ListOf(int line, List<Expression> elements, boolean tuple) implements Expression {}

    record MapOf(int line, List<Expression> keys, List<Expression> values) implements Expression {}

    record Unary(int line, char operator, Expression operand) implements Expression {}

    record Binary(int line, String operator, Expression left, Expression right) implements Expression {}

    /** {@code a ~ b ~ c}. */
    record Concat(int line, List<Expression> parts) implements Expression {}

    /** {@code a < b < c}: every neighbouring pair must hold. */
    record Compare(int line, Expression first, List<String> operators, List<Expression> operands) implements Expression {}

    /** {@code a and b}, {@code a or b}. */
    record Logical(int line, boolean and, Expression left, Expression right) implements Expression {}

    record Not(int line, Expression operand) implements Expression {}

    record Conditional(int line, Expression condition, Expression then, Optional<Expression> otherwise) implements Expression {}

    record Attribute(int line, Expression object, String name) implements Expression {}

    record Index(int line, Expression object, Expression index) implements Expression {}

    record Slice(int line, Expression object, Optional<Expression> start, Optional<Expression> stop, Optional<Expression> step)
            implements
            Expression {}

    /** {@code input | name(…)}; the filter is absent where the name is unknown but may never be reached. */
    record FilterCall(int line, Expression input, String name, Optional<Filter> filter, Arguments arguments)
            implements Expression {}

    /** {@code input is name(…)}. */
    record TestCall(int line, Expression input, String name, Optional<ValueTest> test, Arguments arguments, boolean negated)
            implements
            Expression {}

    record Call(int line, Expression function, Arguments arguments) implements Expression {}

    /** Stands for the text of a block that is being filtered. */
    record BlockText(int line) implements Expression {}

    /** What is written between the parentheses of a call. */
    record Arguments(List<Expression> positional, Map<String, Expression> named) {
        static final Arguments NONE = new Arguments(List.of(), Map.of());
    }
}
