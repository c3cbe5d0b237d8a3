package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.maniple.tokenizer.hf.TemplateToken.Kind;

/** Reads expressions by recursive descent, with the precedences of Jinja's parser. */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final TokenCursor cursor;
    private final LiteralParser literals;
    /** Inside a branch that may never be reached: a filter that is not known is an error there only when it is. */
    private int optional;

    ExpressionParser(TokenCursor cursor) {
        this.cursor = cursor;
        this.literals = new LiteralParser(cursor, this);
    }

    void enterBranch() {
        optional++;
    }

    void leaveBranch() {
        optional--;
    }

    Expression expression() {
        return conditional(true);
    }

    private Expression conditional(boolean allowIf) {
        cursor.enter();
        int line = cursor.current().line();
        var value = or();
        int levels = 1;
        while (allowIf && cursor.skipName("if")) {
            cursor.enter();
            levels++;
            optional++;
            var condition = or();
            Optional<Expression> otherwise = cursor.skipName("else") ? Optional.of(conditional(true)) : Optional.empty();
            optional--;
            value = new Expression.Conditional(line, condition, value, otherwise);
        }
        cursor.leave(levels);
        return value;
    }

    /** One expression, or several with commas, which make a tuple. */
    Expression tuple(boolean allowIf, @Nullable String endName) {
        int line = cursor.current().line();
        var first = conditional(allowIf);
        if (!cursor.current().is(",")) {
            return first;
        }
        var elements = new ArrayList<>(List.of(first));
        while (cursor.skip(",")) {
            if (endsTuple(endName)) {
                break;
            }
            elements.add(conditional(allowIf));
        }
        return new Expression.ListOf(line, List.copyOf(elements), true);
    }

    private boolean endsTuple(@Nullable String endName) {
        var token = cursor.current();
        return token.kind() == Kind.VARIABLE_END || token.kind() == Kind.BLOCK_END || token.is(")") || token.is("=")
                || endName != null && token.isName(endName);
    }

    private interface Combine {
        Expression of(int line, Expression left, Expression right);
    }

    /** Left-associative operators; each adds a level, since that is how deep the tree grows. */
    private Expression chain(Supplier<Expression> operand, Supplier<@Nullable Combine> operator) {
        var left = operand.get();
        int levels = 0;
        while (true) {
            int line = cursor.current().line();
            var combine = operator.get();
            if (combine == null) {
                cursor.leave(levels);
                return left;
            }
            cursor.enter();
            levels++;
            left = combine.of(line, left, operand.get());
        }
    }

    private Expression or() {
        return chain(this::and,
                () -> cursor.skipName("or") ? (line, left, right) -> new Expression.Logical(line, false, left, right) : null);
    }

    private Expression and() {
        return chain(this::not,
                () -> cursor.skipName("and") ? (line, left, right) -> new Expression.Logical(line, true, left, right) : null);
    }

    private Expression not() {
        int line = cursor.current().line();
        if (!cursor.skipName("not")) {
            return compare();
        }
        cursor.enter();
        var operand = not();
        cursor.leave(1);
        return new Expression.Not(line, operand);
    }

    private Expression compare() {
        int line = cursor.current().line();
        var first = sum();
        var operators = new ArrayList<String>();
        var operands = new ArrayList<Expression>();
        for (var operator = comparison(); operator != null; operator = comparison()) {
            operators.add(operator);
            operands.add(sum());
        }
        return operators.isEmpty() ? first : new Expression.Compare(line, first, List.copyOf(operators), List.copyOf(operands));
    }

    private @Nullable String comparison() {
        var token = cursor.current();
        if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
            return cursor.next().text();
        }
        if (cursor.skipName("in")) {
            return "in";
        }
        if (token.isName("not") && cursor.ahead().isName("in")) {
            cursor.next();
            cursor.next();
            return "not in";
        }
        return null;
    }

    private @Nullable Combine binary(String... operators) {
        for (var operator : operators) {
            if (cursor.skip(operator)) {
                return (line, left, right) -> new Expression.Binary(line, operator, left, right);
            }
        }
        return null;
    }

    private Expression sum() {
        return chain(this::concat, () -> binary("+", "-"));
    }

    private Expression concat() {
        int line = cursor.current().line();
        var first = product();
        if (!cursor.current().is("~")) {
            return first;
        }
        var parts = new ArrayList<>(List.of(first));
        while (cursor.skip("~")) {
            parts.add(product());
        }
        return new Expression.Concat(line, List.copyOf(parts));
    }

    private Expression product() {
        return chain(this::power, () -> binary("*", "/", "//", "%"));
    }

    private Expression power() {
        return chain(() -> unary(true), () -> binary("**"));
    }

    private Expression unary(boolean withFilters) {
        int line = cursor.current().line();
        Expression value;
        if (cursor.current().is("-") || cursor.current().is("+")) {
            char operator = cursor.next().text().charAt(0);
            cursor.enter();
            value = new Expression.Unary(line, operator, unary(false));
            cursor.leave(1);
        } else {
            value = literals.primary();
        }
        return suffixes(value, withFilters);
    }

    /** Attributes, indices and calls; with {@code filters} then filters, tests and calls, behind which there are no more attributes. */
    private Expression suffixes(Expression start, boolean filters) {
        var value = start;
        int levels = 0;
        boolean filtered = false;
        while (true) {
            var token = cursor.current();
            boolean filter = filters && (token.is("|") || token.isName("is"));
            boolean attribute = !filtered && (token.is(".") || token.is("["));
            if (!filter && !attribute && !token.is("(")) {
                cursor.leave(levels);
                return value;
            }
            cursor.enter();
            levels++;
            filtered |= filter;
            cursor.next();
            value = switch (token.text()) {
                case "." -> attribute(value);
                case "[" -> subscript(value, token.line());
                case "(" -> new Expression.Call(token.line(), value, arguments());
                case "|" -> filter(value);
                default -> test(value, token.line());
            };
        }
    }

    private Expression attribute(Expression object) {
        var token = cursor.next();
        return switch (token.kind()) {
            case NAME -> new Expression.Attribute(token.line(), object, token.text());
            case INTEGER ->
                new Expression.Index(token.line(), object, new Expression.Literal(token.line(), LiteralParser.integer(token)));
            default -> throw cursor.error("expected name or number after '.'");
        };
    }

    private Expression subscript(Expression object, int line) {
        Optional<Expression> start = cursor.current().is(":") ? Optional.empty() : Optional.of(tuple(true, null));
        if (start.isPresent() && cursor.skip("]")) {
            return new Expression.Index(line, object, start.get());
        }
        cursor.expect(":");
        var stop = sliceEnd();
        Optional<Expression> step = cursor.skip(":") ? sliceEnd() : Optional.empty();
        cursor.expect("]");
        return new Expression.Slice(line, object, start, stop, step);
    }

    private Optional<Expression> sliceEnd() {
        return cursor.current().is(":") || cursor.current().is("]") ? Optional.empty() : Optional.of(expression());
    }

    /** What follows an opening parenthesis. */
    private Expression.Arguments arguments() {
        var positional = new ArrayList<Expression>();
        var named = new LinkedHashMap<String, Expression>();
        boolean first = true;
        while (!cursor.skip(")")) {
            if (!first) {
                cursor.expect(",");
                if (cursor.skip(")")) {
                    break;
                }
            }
            first = false;
            if (cursor.current().is("*") || cursor.current().is("**")) {
                throw cursor.error("arguments by * and ** are not supported");
            }
            if (cursor.current().kind() == Kind.NAME && cursor.ahead().is("=")) {
                var name = cursor.next().text();
                cursor.next();
                named.put(name, expression());
            } else if (!named.isEmpty()) {
                throw cursor.error("invalid syntax for function call expression");
            } else {
                positional.add(expression());
            }
        }
        return new Expression.Arguments(List.copyOf(positional), java.util.Collections.unmodifiableMap(named));
    }

    /** What follows a {@code |}. */
    Expression filter(Expression input) {
        int line = cursor.current().line();
        var name = dottedName();
        var filter = Filters.find(name);
        if (filter.isEmpty() && optional == 0) {
            throw TemplateException.syntax(line, "No filter named '" + name + "'.");
        }
        var arguments = cursor.skip("(") ? arguments() : Expression.Arguments.NONE;
        return new Expression.FilterCall(line, input, name, filter, arguments);
    }

    private String dottedName() {
        var name = new StringBuilder(cursor.expect(Kind.NAME).text());
        while (cursor.skip(".")) {
            name.append('.').append(cursor.expect(Kind.NAME).text());
        }
        return name.toString();
    }

    private Expression test(Expression input, int line) {
        boolean negated = cursor.skipName("not");
        var operator = cursor.current().kind() == Kind.OPERATOR && COMPARISONS.contains(cursor.current().text());
        var name = operator ? cursor.next().text() : dottedName();
        var test = ValueTests.find(name);
        if (test.isEmpty() && optional == 0) {
            throw TemplateException.syntax(line, "No test named '" + name + "'.");
        }
        return new Expression.TestCall(line, input, name, test, testArguments(), negated);
    }

    private Expression.Arguments testArguments() {
        if (cursor.skip("(")) {
            return arguments();
        }
        var token = cursor.current();
        boolean argument = switch (token.kind()) {
            case NAME -> !token.text().equals("else") && !token.text().equals("or") && !token.text().equals("and");
            case STRING, INTEGER, FLOAT -> true;
            default -> token.is("[") || token.is("{");
        };
        if (!argument) {
            return Expression.Arguments.NONE;
        }
        if (token.isName("is")) {
            throw cursor.error("You cannot chain multiple tests with is");
        }
        return new Expression.Arguments(List.of(suffixes(literals.primary(), false)), java.util.Map.of());
    }
}
