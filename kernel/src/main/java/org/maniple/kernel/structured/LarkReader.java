package org.maniple.kernel.structured;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * Reads grammars in Lark's form: {@code name: "text" /regex/ OTHER [optional] ( … | … )*}, ranges {@code "a".."z"}, comments after
 * {@code //}. What Lark does with its tree (aliases, the marks {@code ?} and {@code !}) is read and left out; directives are refused.
 */
final class LarkReader extends GrammarReader {

    LarkReader(String text, ToIntFunction<String> rules) {
        super(text, rules);
    }

    @Override
    void skip() {
        while (true) {
            int c = in.peek();
            if (in.comes("//")) {
                while (!in.atEnd() && in.peek() != '\n') {
                    in.take();
                }
            } else if (in.take("->")) {
                blanks();
                name();
            } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                in.take();
            } else {
                return;
            }
        }
    }

    @Override
    String header() {
        if (in.peek() == '%') {
            throw in.problem("directives (%import, %ignore, %declare) are not supported");
        }
        while (in.peek() == '?' || in.peek() == '!') {
            in.take();
        }
        String name = name();
        if (in.take(".")) {
            in.number();
        }
        blanks();
        if (!in.take(":")) {
            throw in.problem("a colon was expected after the name [" + name + "]; in GBNF it is ::=");
        }
        return name;
    }

    @Override
    boolean startsRule() {
        if (in.peek() == '%') {
            return true;
        }
        int start = in.position();
        while (in.peek() == '?' || in.peek() == '!') {
            in.take();
        }
        boolean starts = false;
        if (isNameStart(in.peek())) {
            name();
            if (in.take(".")) {
                in.number();
            }
            blanks();
            starts = in.peek() == ':';
        }
        in.back(start);
        return starts;
    }

    @Override
    int closingBracket() {
        return ']';
    }

    @Override
    Expression terminal() {
        return switch (in.peek()) {
            case '"' -> text();
            case '/' -> regex();
            case '[' -> {
                in.take();
                Expression inner = alternatives();
                if (!in.take("]")) {
                    throw in.problem("an optional part is not closed");
                }
                yield Expression.optional(inner);
            }
            case '~' -> throw in.problem("repetitions with ~ are not supported; write {n,m} in GBNF");
            default -> throw in.problem("a text, an expression, a group or the name of a rule was expected");
        };
    }

    private Expression text() {
        String text = quoted();
        if (in.take("..")) {
            if (in.peek() != '"') {
                throw in.problem("a range ends with a text of one character");
            }
            String last = quoted();
            if (text.codePointCount(0, text.length()) != 1 || last.codePointCount(0, last.length()) != 1
                    || text.codePointAt(0) > last.codePointAt(0)) {
                throw in.problem("a range goes from one character to a later one");
            }
            return new Expression.OneOf(CodePoints.range(text.codePointAt(0), last.codePointAt(0)));
        }
        if (in.peek() == 'i' && !Character.isLetterOrDigit(Math.max(in.peek(1), 0))) {
            in.take();
            return anyCase(text);
        }
        return Expression.text(text);
    }

    private static Expression anyCase(String text) {
        List<Expression> characters = new ArrayList<>();
        text.codePoints().forEach(c -> characters.add(new Expression.OneOf(CodePoints.of(Character.toLowerCase(c))
                .or(CodePoints.of(Character.toUpperCase(c))))));
        return new Expression.Sequence(characters);
    }

    private Expression regex() {
        in.take();
        var pattern = new StringBuilder();
        while (in.peek() != '/') {
            if (in.atEnd() || in.peek() == '\n') {
                throw in.problem("an expression is not closed");
            }
            int c = in.take();
            pattern.appendCodePoint(c);
            if (c == '\\' && !in.atEnd()) {
                pattern.appendCodePoint(in.take());
            }
        }
        in.take();
        if (Character.isLetter(Math.max(in.peek(), 0))) {
            throw in.problem("flags of an expression are not supported");
        }
        return new RegexReader(pattern.toString(), CharacterForm.PLAIN).readWhole();
    }
}
