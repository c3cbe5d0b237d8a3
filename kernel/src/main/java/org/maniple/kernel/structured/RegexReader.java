package org.maniple.kernel.structured;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Reads regular expressions: what ECMAScript, Python and Java have in common and is regular. Whatever is not is refused by its name.
 * Lazy quantifiers are read as greedy ones, which matter only to who searches.
 */
final class RegexReader {

    private static final int MAX_DEPTH = 100;
    private static final long MAX_EXPANDED = 250_000;
    private static final String SPECIAL = "\\^$.|?*+()[]{}/-&~#,:;=!<>@%\"'` _";

    /** One of several ways to match, and whether it is tied to the beginning and to the end of the text. */
    private record Way(Expression expression, boolean fromStart, boolean toEnd) {

        boolean isTied() {
            return fromStart || toEnd;
        }
    }

    private final Characters in;
    private final CharacterForm form;
    private int depth;

    /**
     * A reader of one expression.
     *
     * @param pattern the expression
     * @param form how the characters that it matches stand in the output
     */
    RegexReader(String pattern, CharacterForm form) {
        in = new Characters(pattern);
        this.form = form;
    }

    /** Texts that the expression matches as a whole. */
    Expression readWhole() {
        return new Expression.Either(readAll().stream().map(Way::expression).toList());
    }

    /** Texts in which the expression matches somewhere. */
    Expression readWithin() {
        Expression anything = new Expression.Repeat(form.oneOf(CodePoints.ALL), 0, Expression.UNBOUNDED);
        return new Expression.Either(readAll().stream().map(way -> Expression.sequence(
                way.fromStart() ? Expression.EMPTY : anything, way.expression(), way.toEnd() ? Expression.EMPTY : anything))
                .map(Expression.class::cast).toList());
    }

    private List<Way> readAll() {
        List<Way> ways = ways();
        if (!in.atEnd()) {
            throw in.problem("a closing parenthesis has no opening one");
        }
        for (Way way : ways) {
            if (expanded(way.expression()) > MAX_EXPANDED) {
                throw new ConstraintException("its repetitions multiply to more than " + MAX_EXPANDED + " characters");
            }
        }
        return ways;
    }

    private List<Way> ways() {
        if (++depth > MAX_DEPTH) {
            throw in.problem("groups are nested more than " + MAX_DEPTH + " deep");
        }
        List<Way> ways = new ArrayList<>(sequence());
        while (in.take("|")) {
            ways.addAll(sequence());
        }
        depth--;
        return ways;
    }

    private List<Way> sequence() {
        List<Expression> parts = new ArrayList<>();
        boolean fromStart = false;
        boolean toEnd = false;
        while (!ends()) {
            if (toEnd) {
                throw in.problem("$ is supported at the end only");
            }
            if (in.take("^")) {
                if (!parts.isEmpty()) {
                    throw in.problem("^ is supported at the beginning only");
                }
                fromStart = true;
            } else if (in.take("$")) {
                toEnd = true;
            } else if (in.peek() == '(') {
                List<Way> group = group();
                if (group.stream().anyMatch(Way::isTied)) {
                    if (parts.isEmpty() && !fromStart && ends()) {
                        return group;
                    }
                    fromStart |= agreed(group, Way::fromStart, parts.isEmpty());
                    toEnd = agreed(group, Way::toEnd, true);
                    parts.add(either(group));
                } else {
                    parts.add(quantified(either(group)));
                }
            } else {
                parts.add(quantified(atom()));
            }
        }
        return List.of(new Way(new Expression.Sequence(parts), fromStart, toEnd));
    }

    private boolean ends() {
        return in.atEnd() || in.peek() == '|' || in.peek() == ')';
    }

    /** Whether all ways of a group are tied, which must not be if only some are or if the place is wrong. */
    private boolean agreed(List<Way> group, Predicate<Way> tied, boolean possible) {
        boolean any = group.stream().anyMatch(tied);
        if (any && !(possible && group.stream().allMatch(tied))) {
            throw in.problem("^ and $ are supported at the beginning and the end only");
        }
        return any;
    }

    private static Expression either(List<Way> ways) {
        return ways.size() == 1
                ? ways.getFirst().expression()
                : new Expression.Either(ways.stream().map(Way::expression).toList());
    }

    private List<Way> group() {
        in.take();
        if (in.take("?")) {
            if (in.comes("=") || in.comes("!") || in.comes("<=") || in.comes("<!")) {
                throw in.problem("lookaround is not supported");
            } else if (in.take(">")) {
                throw in.problem("atomic groups are not supported");
            } else if (in.comes("P=") || in.comes("(")) {
                throw in.problem("backreferences and conditions are not supported");
            } else if (in.take("P<") || in.take("<")) {
                groupName();
            } else if (!in.take(":")) {
                throw in.problem("flags inside of an expression are not supported");
            }
        }
        List<Way> ways = ways();
        if (!in.take(")")) {
            throw in.problem("a group is not closed");
        }
        if (ways.stream().anyMatch(Way::isTied) && quantifierComes()) {
            throw in.problem("a group with ^ or $ cannot be repeated");
        }
        return ways;
    }

    private void groupName() {
        while (in.peek() != '>') {
            if (in.atEnd() || !CharacterClasses.WORD.contains(in.peek())) {
                throw in.problem("the name of a group is not closed");
            }
            in.take();
        }
        in.take();
    }

    private boolean quantifierComes() {
        int c = in.peek();
        return c == '*' || c == '+' || c == '?' || c == '{' && isBraces();
    }

    /** Braces that are no quantifier stand for themselves. */
    private boolean isBraces() {
        int start = in.position();
        in.take();
        boolean number = in.number() >= 0;
        if (number && in.take(",")) {
            in.number();
        }
        boolean closed = number && in.peek() == '}';
        in.back(start);
        return closed;
    }

    private Expression quantified(Expression part) {
        if (!quantifierComes()) {
            return part;
        }
        int least = 0;
        int most = Expression.UNBOUNDED;
        switch (in.take()) {
            case '+' -> least = 1;
            case '?' -> most = 1;
            case '{' -> {
                least = in.number();
                most = least;
                if (in.take(",")) {
                    int upper = in.number();
                    most = upper < 0 ? Expression.UNBOUNDED : upper;
                }
                in.take();
            }
            default -> least = 0;
        }
        if (least > most) {
            throw in.problem("a repetition has a minimum of " + least + " above its maximum of " + most);
        }
        if (in.take("+")) {
            throw in.problem("possessive quantifiers are not supported");
        }
        in.take("?");
        if (quantifierComes()) {
            throw in.problem("a quantifier follows a quantifier");
        }
        return new Expression.Repeat(part, least, most);
    }

    private Expression atom() {
        int c = in.peek();
        if (quantifierComes()) {
            throw in.problem("there is nothing to repeat");
        }
        in.take();
        return form.oneOf(switch (c) {
            case '.' -> CharacterClasses.ANY;
            case '[' -> set();
            case '\\' -> escape(false);
            default -> CodePoints.of(c);
        });
    }

    private CodePoints set() {
        boolean negated = in.take("^");
        if (in.peek() == ']') {
            throw in.problem("a set is empty; write \\] for a bracket in a set");
        }
        CodePoints set = CodePoints.NONE;
        while (!in.take("]")) {
            if (in.atEnd()) {
                throw in.problem("a set is not closed");
            }
            if (in.comes("[:") || in.comes("&&") || in.comes("--") && in.peek(2) != ']') {
                throw in.problem("POSIX classes and operations on sets are not supported");
            }
            CodePoints first = member();
            if (in.peek() == '-' && in.peek(1) != ']' && in.peek(1) != Characters.END) {
                in.take();
                set = set.or(range(first, member()));
            } else {
                set = set.or(first);
            }
        }
        return negated ? set.not() : set;
    }

    private CodePoints member() {
        int c = in.take();
        return c == '\\' ? escape(true) : CodePoints.of(c);
    }

    private CodePoints range(CodePoints first, CodePoints last) {
        if (!isSingle(first) || !isSingle(last) || first.first(0) > last.first(0)) {
            throw in.problem("a range of a set goes from one character to a later one");
        }
        return CodePoints.range(first.first(0), last.first(0));
    }

    private static boolean isSingle(CodePoints set) {
        return set.ranges() == 1 && set.first(0) == set.last(0);
    }

    private CodePoints escape(boolean inSet) {
        int c = in.take();
        var named = CharacterClasses.escaped(c);
        if (named.isPresent()) {
            return named.get();
        }
        return switch (c) {
            case 't' -> CodePoints.of('\t');
            case 'n' -> CodePoints.of('\n');
            case 'r' -> CodePoints.of('\r');
            case 'f' -> CodePoints.of('\f');
            case 'v' -> CodePoints.of(0x0B);
            case 'x' -> CodePoints.of(in.hex(2));
            case 'u' -> CodePoints.of(unicode());
            case 'U' -> CodePoints.of(whole(in.hex(8)));
            case 'p' -> category();
            case 'P' -> category().not();
            case '0' -> {
                if (Character.isDigit(in.peek())) {
                    throw in.problem("octal escapes are not supported");
                }
                yield CodePoints.of(0);
            }
            case 'b' -> {
                if (!inSet) {
                    throw in.problem("\\b (word boundaries) is not supported");
                }
                yield CodePoints.of('\b');
            }
            case Characters.END -> throw in.problem("a backslash is the last character");
            default -> {
                if (c >= '1' && c <= '9' || c == 'k') {
                    throw in.problem("backreferences are not supported");
                }
                if (c < 0x80 && SPECIAL.indexOf(c) < 0) {
                    throw in.problem("the escape \\" + Character.toString(c) + " is not supported");
                }
                yield CodePoints.of(c);
            }
        };
    }

    private int unicode() {
        if (in.take("{")) {
            int value = 0;
            int digits = 0;
            while (Character.digit(in.peek(), 16) >= 0 && digits++ < 6) {
                value = value * 16 + Character.digit(in.take(), 16);
            }
            if (digits == 0 || !in.take("}")) {
                throw in.problem("an escape \\u{…} needs one to six hexadecimal digits");
            }
            return whole(in.checked(value));
        }
        int first = in.hex(4);
        if (Character.isHighSurrogate((char) first) && in.take("\\u")) {
            int second = in.hex(4);
            if (Character.isLowSurrogate((char) second)) {
                return Character.toCodePoint((char) first, (char) second);
            }
        }
        return whole(first);
    }

    private int whole(int character) {
        if (character >= Character.MIN_SURROGATE && character <= Character.MAX_SURROGATE) {
            throw in.problem("an escape stands for half a surrogate pair");
        }
        return character;
    }

    private CodePoints category() {
        var name = new StringBuilder();
        if (in.take("{")) {
            while (in.peek() != '}' && !in.atEnd() && name.length() < 40) {
                name.appendCodePoint(in.take());
            }
            in.take();
        } else {
            name.appendCodePoint(Math.max(in.take(), 0));
        }
        return CharacterClasses.category(name.toString()).orElseThrow(
                () -> in.problem("the property \\p{" + name + "} is not supported; general categories like \\p{L} are"));
    }

    /** How long a text can be without its unlimited repetitions, up to a limit. */
    private static long expanded(Expression expression) {
        return switch (expression) {
            case Expression.Text(String text) -> text.length();
            case Expression.Words _, Expression.OneOf _, Expression.Call _ -> 1;
            case Expression.Sequence(var parts) -> parts.stream().mapToLong(RegexReader::expanded).sum();
            case Expression.Either(var options) -> options.stream().mapToLong(RegexReader::expanded).sum();
            case Expression.Repeat(Expression part, int least, int most) -> Math.min(MAX_EXPANDED + 1,
                    expanded(part) * Math.max(1, most == Expression.UNBOUNDED ? least : most));
        };
    }
}
