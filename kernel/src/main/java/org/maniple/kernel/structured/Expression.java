package org.maniple.kernel.structured;

import java.util.Arrays;
import java.util.List;

/** What a part of the output may be. Immutable. */
sealed interface Expression {

    /** At most this often is "any number of times". */
    int UNBOUNDED = Integer.MAX_VALUE;

    Expression EMPTY = new Text("");
    Expression NOTHING = new Either(List.of());

    /** Exactly a text. */
    record Text(String text) implements Expression {}

    /** Exactly one of some texts; many of them cost no more than their characters. */
    record Words(List<String> words) implements Expression {

        public Words {
            words = List.copyOf(words);
        }
    }

    /** One character of a set. */
    record OneOf(CodePoints characters) implements Expression {}

    /** One after the other. */
    record Sequence(List<Expression> parts) implements Expression {

        public Sequence {
            parts = List.copyOf(parts);
        }
    }

    /** One of some; of none: impossible. */
    record Either(List<Expression> options) implements Expression {

        public Either {
            options = List.copyOf(options);
        }
    }

    /** The same so often. */
    record Repeat(Expression part, int least, int most) implements Expression {}

    /** What a rule of the grammar says. */
    record Call(int rule) implements Expression {}

    static Expression text(String text) {
        return new Text(text);
    }

    static Expression oneOf(String characters) {
        return new OneOf(CodePoints.of(characters));
    }

    static Expression sequence(Expression... parts) {
        return new Sequence(Arrays.asList(parts));
    }

    static Expression either(Expression... options) {
        return new Either(Arrays.asList(options));
    }

    static Expression optional(Expression part) {
        return new Repeat(part, 0, 1);
    }
}
