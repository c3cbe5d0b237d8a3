package org.maniple.kernel.structured;

import java.util.function.ToIntFunction;

/** Reads GBNF: {@code name ::= "text" [a-z] . other ( … | … )* {n,m}}, and comments after {@code #}. */
final class GbnfReader extends GrammarReader {

    GbnfReader(String text, ToIntFunction<String> rules) {
        super(text, rules);
    }

    @Override
    void skip() {
        while (true) {
            int c = in.peek();
            if (c == '#') {
                while (!in.atEnd() && in.peek() != '\n') {
                    in.take();
                }
            } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                in.take();
            } else {
                return;
            }
        }
    }

    @Override
    void skipBeforeQuantifier() {
        int start = in.position();
        blanks();
        if ("*+?{".indexOf(Math.max(in.peek(), 0)) < 0) {
            in.back(start);
        }
    }

    @Override
    String header() {
        String name = name();
        skip();
        if (!in.take("::=")) {
            throw in.problem("::= was expected after the name [" + name + "]");
        }
        return name;
    }

    @Override
    boolean startsRule() {
        if (!isNameStart(in.peek())) {
            return false;
        }
        int start = in.position();
        name();
        blanks();
        boolean starts = in.comes("::=");
        in.back(start);
        return starts;
    }

    @Override
    Expression terminal() {
        return switch (in.peek()) {
            case '"' -> Expression.text(quoted());
            case '\'' -> Expression.text(quoted());
            case '[' -> new Expression.OneOf(set());
            case '.' -> {
                in.take();
                yield new Expression.OneOf(CodePoints.ALL);
            }
            default -> throw in.problem("a text, a set, a group or the name of a rule was expected");
        };
    }

    private CodePoints set() {
        in.take();
        boolean negated = in.take("^");
        CodePoints set = CodePoints.NONE;
        while (!in.take("]")) {
            int first = member();
            if (in.peek() == '-' && in.peek(1) != ']') {
                in.take();
                int last = member();
                if (first > last) {
                    throw in.problem("a range of a set goes from one character to a later one");
                }
                set = set.or(CodePoints.range(first, last));
            } else {
                set = set.or(CodePoints.of(first));
            }
        }
        return negated ? set.not() : set;
    }

    private int member() {
        if (in.atEnd()) {
            throw in.problem("a set is not closed");
        }
        int c = in.take();
        if (c != '\\') {
            return c;
        }
        return in.peek() == ']' || in.peek() == '[' || in.peek() == '-' || in.peek() == '^' || in.peek() == '\\' ? in.take() : escaped();
    }
}
