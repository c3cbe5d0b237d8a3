package org.maniple.kernel.structured;

import java.util.List;

/**
 * How many characters the texts of an expression have.
 *
 * @param least at least
 * @param most at most; {@link Expression#UNBOUNDED} if there is no limit
 */
record Lengths(long least, long most) {

    private static final Lengths ONE = new Lengths(1, 1);

    static Lengths of(Expression expression) {
        return switch (expression) {
            case Expression.Text(String text) -> exactly(text.codePointCount(0, text.length()));
            case Expression.Words(List<String> words) -> any(words.stream().map(word -> of(new Expression.Text(word))).toList());
            case Expression.OneOf _ -> ONE;
            case Expression.Sequence(List<Expression> parts) -> parts.stream().map(Lengths::of).reduce(exactly(0), Lengths::plus);
            case Expression.Either(List<Expression> options) -> any(options.stream().map(Lengths::of).toList());
            case Expression.Repeat(Expression part, int least, int most) -> of(part).times(least, most);
            case Expression.Call _ -> new Lengths(0, Expression.UNBOUNDED);
        };
    }

    private static Lengths exactly(long length) {
        return new Lengths(length, length);
    }

    private static Lengths any(List<Lengths> options) {
        return new Lengths(options.stream().mapToLong(Lengths::least).min().orElse(0),
                options.stream().mapToLong(Lengths::most).max().orElse(0));
    }

    private Lengths plus(Lengths other) {
        return new Lengths(limited(least + other.least), limited(most + other.most));
    }

    private Lengths times(int fewest, int highest) {
        return new Lengths(limited(least * fewest), most == 0 ? 0 : limited(most * highest));
    }

    private static long limited(long length) {
        return Math.min(length, Expression.UNBOUNDED);
    }

    boolean within(int fewest, int highest) {
        return least >= fewest && most <= highest;
    }
}
