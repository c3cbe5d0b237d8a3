package org.maniple.kernel.structured;

import java.util.ArrayList;
import java.util.List;

/** What a model thinks before it answers: any text up to the mark at its end. */
final class Reasoning {

    /** Models put an empty line before the answer. */
    private static final int LINE_BREAKS = 2;

    private Reasoning() {}

    /**
     * The reasoning with its marks, and the line breaks after it.
     *
     * @param inside whether it has begun already; otherwise it need not come at all
     */
    static Expression of(Grammar grammar, String begin, String end, boolean inside) {
        Expression rest = Expression.sequence(upTo(grammar, end),
                new Expression.Repeat(Expression.text("\n"), 0, LINE_BREAKS));
        return inside ? rest : Expression.optional(Expression.sequence(Expression.text(begin), rest));
    }

    /** A rule for each number of characters of the mark that the text may just have begun with (the automaton of Knuth, Morris and Pratt). */
    private static Expression upTo(Grammar grammar, String mark) {
        int[] characters = mark.codePoints().toArray();
        int[] rules = new int[characters.length];
        for (int known = 0; known < rules.length; known++) {
            rules[known] = grammar.declare("reasoning");
        }
        for (int known = 0; known < rules.length; known++) {
            List<Expression> ways = new ArrayList<>();
            CodePoints others = CodePoints.ALL;
            for (int c : mark.codePoints().distinct().toArray()) {
                ways.add(step(CodePoints.of(c), after(characters, known, c), rules));
                others = others.minus(CodePoints.of(c));
            }
            ways.add(step(others, 0, rules));
            grammar.define(rules[known], new Expression.Either(ways));
        }
        return new Expression.Call(rules[0]);
    }

    private static Expression step(CodePoints characters, int known, int[] rules) {
        Expression one = new Expression.OneOf(characters);
        return known == rules.length ? one : Expression.sequence(one, new Expression.Call(rules[known]));
    }

    /** How many characters of the mark the text ends with, if one more comes. */
    private static int after(int[] mark, int known, int next) {
        for (int length = known + 1; length > 0; length--) {
            if (mark[length - 1] == next && isRepeated(mark, known, length - 1)) {
                return length;
            }
        }
        return 0;
    }

    /** Whether the first so many characters are also the last ones of those that are known. */
    private static boolean isRepeated(int[] mark, int known, int length) {
        for (int i = 0; i < length; i++) {
            if (mark[i] != mark[known - length + i]) {
                return false;
            }
        }
        return true;
    }
}
