package org.maniple.kernel.structured;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/** What grammars in GBNF and in Lark's form have in common: rules of alternatives of sequences of repeated parts. */
abstract class GrammarReader {

    private static final int MAX_DEPTH = 100;

    final Characters in;
    final ToIntFunction<String> rules;
    private int depth;

    /**
     * A reader of one grammar.
     *
     * @param rules gives each name a rule
     */
    GrammarReader(String text, ToIntFunction<String> rules) {
        in = new Characters(text);
        this.rules = rules;
    }

    /** All rules by their names. */
    final Map<String, Expression> read() {
        Map<String, Expression> definitions = new LinkedHashMap<>();
        skip();
        while (!in.atEnd()) {
            String name = header();
            if (definitions.put(name, alternatives()) != null) {
                throw in.problem("the rule [" + name + "] is defined twice");
            }
            if (!in.atEnd() && !startsRule()) {
                throw in.problem("a rule, a part of the rule [" + name + "], or the end was expected instead of ["
                        + Character.toString(in.peek()) + "]");
            }
        }
        return definitions;
    }

    /** White space and comments. */
    abstract void skip();

    /** Reads the name of a rule and the sign after it. */
    abstract String header();

    /** Whether a rule begins here. */
    abstract boolean startsRule();

    /** Reads a text, a set, or whatever else the form has; the character that begins it is next. */
    abstract Expression terminal();

    final Expression alternatives() {
        if (++depth > MAX_DEPTH) {
            throw in.problem("groups are nested more than " + MAX_DEPTH + " deep");
        }
        List<Expression> options = new ArrayList<>();
        do {
            skip();
            options.add(sequence());
        } while (in.take("|"));
        depth--;
        return options.size() == 1 ? options.getFirst() : new Expression.Either(options);
    }

    private Expression sequence() {
        List<Expression> parts = new ArrayList<>();
        skip();
        while (!endsSequence()) {
            parts.add(repeated(part()));
            skip();
        }
        return parts.size() == 1 ? parts.getFirst() : new Expression.Sequence(parts);
    }

    private boolean endsSequence() {
        int c = in.peek();
        return in.atEnd() || c == '|' || c == ')' || c == closingBracket() || startsRule();
    }

    /** A bracket that ends a group besides the round one, or none. */
    int closingBracket() {
        return ')';
    }

    private Expression part() {
        if (in.take("(")) {
            Expression inner = alternatives();
            if (!in.take(")")) {
                throw in.problem("a group is not closed");
            }
            return inner;
        }
        if (isNameStart(in.peek())) {
            return new Expression.Call(rules.applyAsInt(name()));
        }
        return terminal();
    }

    static boolean isNameStart(int c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_';
    }

    final String name() {
        var name = new StringBuilder();
        while (isNameStart(in.peek()) || in.peek() >= '0' && in.peek() <= '9' || in.peek() == '-' || in.peek() == '.'
                && isNameStart(in.peek(1))) {
            name.appendCodePoint(in.take());
        }
        if (name.isEmpty() || name.length() > 200) {
            throw in.problem("the name of a rule was expected, of at most 200 characters");
        }
        return name.toString();
    }

    private Expression repeated(Expression part) {
        Expression result = part;
        int quantifiers = 0;
        while (true) {
            skipBeforeQuantifier();
            if (in.take("*")) {
                result = new Expression.Repeat(result, 0, Expression.UNBOUNDED);
            } else if (in.take("+")) {
                result = new Expression.Repeat(result, 1, Expression.UNBOUNDED);
            } else if (in.take("?")) {
                result = Expression.optional(result);
            } else if (in.take("{")) {
                result = counted(result);
            } else {
                return result;
            }
            if (++quantifiers > 8) {
                throw in.problem("more than 8 quantifiers follow each other");
            }
        }
    }

    void skipBeforeQuantifier() {}

    private Expression counted(Expression part) {
        blanks();
        int least = in.number();
        blanks();
        int most = least;
        if (in.take(",")) {
            blanks();
            int upper = in.number();
            most = upper < 0 ? Expression.UNBOUNDED : upper;
            blanks();
        }
        if (!in.take("}") || least < 0 && most < 0) {
            throw in.problem("a repetition must be {n}, {n,} or {n,m}");
        }
        least = Math.max(0, least);
        if (least > most) {
            throw in.problem("a repetition has a minimum of " + least + " above its maximum of " + most);
        }
        return new Expression.Repeat(part, least, most);
    }

    final void blanks() {
        while (in.peek() == ' ' || in.peek() == '\t') {
            in.take();
        }
    }

    /** A text in quotes, the first of which is next. */
    final String quoted() {
        int quote = in.take();
        var text = new StringBuilder();
        while (in.peek() != quote) {
            if (in.atEnd() || in.peek() == '\n') {
                throw in.problem("a text is not closed");
            }
            int c = in.take();
            text.appendCodePoint(c == '\\' ? escaped() : c);
        }
        in.take();
        return text.toString();
    }

    /** The character of an escape, the backslash of which has been taken. */
    final int escaped() {
        int c = in.take();
        int character = switch (c) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'f' -> '\f';
            case 'b' -> '\b';
            case '0' -> 0;
            case 'x' -> in.hex(2);
            case 'u' -> surrogates(in.hex(4));
            case 'U' -> in.hex(8);
            default -> c;
        };
        boolean unknown = c >= 'a' && c <= 'z' && "nrtfbxu".indexOf(c) < 0 || c >= 'A' && c <= 'Z' && c != 'U';
        if (c == Characters.END || unknown || character >= Character.MIN_SURROGATE && character <= Character.MAX_SURROGATE) {
            throw in.problem("an escape is not supported; there are \\n \\r \\t \\f \\b \\0 \\xHH \\uHHHH \\UHHHHHHHH");
        }
        return character;
    }

    private int surrogates(int first) {
        if (Character.isHighSurrogate((char) first) && in.take("\\u")) {
            int second = in.hex(4);
            return Character.isLowSurrogate((char) second) ? Character.toCodePoint((char) first, (char) second) : first;
        }
        return first;
    }
}
