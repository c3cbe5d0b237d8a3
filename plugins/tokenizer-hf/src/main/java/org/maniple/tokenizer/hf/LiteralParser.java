package org.maniple.tokenizer.hf;

import java.util.ArrayList;
import java.util.List;
import org.maniple.tokenizer.hf.TemplateToken.Kind;

/** Reads names, constants, numbers, strings, lists, tuples and maps. */
final class LiteralParser {
    private final TokenCursor cursor;
    private final ExpressionParser expressions;

    LiteralParser(TokenCursor cursor, ExpressionParser expressions) {
        this.cursor = cursor;
        this.expressions = expressions;
    }

    /** The smallest whole: a name, a literal, something in brackets. */
    Expression primary() {
        var token = cursor.current();
        return switch (token.kind()) {
            case NAME -> name();
            case STRING -> strings();
            case INTEGER, FLOAT -> number();
            case OPERATOR -> bracket(token);
            default -> throw cursor.error(token.kind() == Kind.END
                    ? "unexpected 'end of template'"
                    : "Expected an expression, got '" + token.describe() + "'");
        };
    }

    private Expression name() {
        var token = cursor.next();
        return switch (token.text()) {
            case "true", "True" -> new Expression.Literal(token.line(), true);
            case "false", "False" -> new Expression.Literal(token.line(), false);
            case "none", "None" -> new Expression.Literal(token.line(), null);
            default -> new Expression.Name(token.line(), token.text());
        };
    }

    private Expression strings() {
        int line = cursor.current().line();
        var text = new StringBuilder();
        while (cursor.current().kind() == Kind.STRING) {
            text.append(cursor.next().text());
        }
        return new Expression.Literal(line, text.toString());
    }

    private Expression number() {
        var token = cursor.next();
        return new Expression.Literal(token.line(),
                token.kind() == Kind.FLOAT ? (Object) Double.valueOf(token.text()) : (Object) integer(token));
    }

    static Long integer(TemplateToken token) {
        var digits = token.text();
        try {
            if (digits.length() > 2 && digits.charAt(0) == '0' && !Character.isDigit(digits.charAt(1))) {
                int radix = switch (Character.toLowerCase(digits.charAt(1))) {
                    case 'x' -> 16;
                    case 'o' -> 8;
                    default -> 2;
                };
                return Long.valueOf(digits.substring(2), radix);
            }
            return Long.valueOf(digits);
        } catch (NumberFormatException e) {
            throw TemplateException.syntax(token.line(), "the integer " + digits + " is none or does not fit into 64 bits");
        }
    }

    private Expression bracket(TemplateToken token) {
        if (cursor.skip("(")) {
            var inside = cursor.current().is(")")
                    ? new Expression.ListOf(token.line(), List.of(), true)
                    : expressions.tuple(true, null);
            cursor.expect(")");
            return inside;
        }
        if (cursor.skip("[")) {
            return new Expression.ListOf(token.line(), sequence("]"), false);
        }
        if (cursor.skip("{")) {
            return map(token.line());
        }
        throw cursor.error("unexpected '" + token.text() + "'");
    }

    private List<Expression> sequence(String end) {
        var elements = new ArrayList<Expression>();
        while (!cursor.skip(end)) {
            if (!elements.isEmpty()) {
                cursor.expect(",");
                if (cursor.skip(end)) {
                    break;
                }
            }
            elements.add(expressions.expression());
        }
        return List.copyOf(elements);
    }

    private Expression map(int line) {
        var keys = new ArrayList<Expression>();
        var values = new ArrayList<Expression>();
        while (!cursor.skip("}")) {
            if (!keys.isEmpty()) {
                cursor.expect(",");
                if (cursor.skip("}")) {
                    break;
                }
            }
            keys.add(expressions.expression());
            cursor.expect(":");
            values.add(expressions.expression());
        }
        return new Expression.MapOf(line, List.copyOf(keys), List.copyOf(values));
    }
}
