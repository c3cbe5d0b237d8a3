package org.maniple.kernel.structured;

import static org.maniple.kernel.structured.Expression.UNBOUNDED;
import static org.maniple.kernel.structured.Expression.either;
import static org.maniple.kernel.structured.Expression.oneOf;
import static org.maniple.kernel.structured.Expression.optional;
import static org.maniple.kernel.structured.Expression.sequence;
import static org.maniple.kernel.structured.Expression.text;

import org.jspecify.annotations.Nullable;

/**
 * How JSON is written: the parts of which the front end for schemas puts values together. White space is bounded, since models that may
 * write any amount of it sometimes never stop; so are the digits of numbers, so that every reader can hold them.
 */
final class JsonForms {

    /** Digits of an integer without bounds, so that it fits into 64 bits. */
    static final int INTEGER_DIGITS = 18;

    private static final int INDENTATION = 40;
    private static final int FRACTION_DIGITS = 15;
    private static final CodePoints HEX = CharacterClasses.DIGIT.or(CodePoints.range('a', 'f')).or(CodePoints.range('A', 'F'));

    private final Grammar grammar;
    private final Expression space;
    private final Expression character;
    private final Expression anyString;
    private final Expression anyNumber;
    private final Expression anyInteger;
    private @Nullable Expression anyValue;
    private @Nullable Expression anyObject;
    private @Nullable Expression anyArray;

    /**
     * Forms whose rules are added to a grammar.
     *
     * @param compact whether there is no white space
     */
    JsonForms(Grammar grammar, boolean compact) {
        this.grammar = grammar;
        space = compact
                ? Expression.EMPTY
                : grammar.rule("white space", optional(either(text(" "),
                        sequence(text("\n"), either(new Expression.Repeat(text(" "), 0, INDENTATION),
                                new Expression.Repeat(text("\t"), 1, INDENTATION / 4))))));
        character = grammar.rule("character", character());
        anyString = grammar.rule("string",
                sequence(text("\""), new Expression.Repeat(character, 0, UNBOUNDED), text("\"")));
        Expression digit = new Expression.OneOf(CharacterClasses.DIGIT);
        Expression whole = either(text("0"), sequence(new Expression.OneOf(CodePoints.range('1', '9')),
                new Expression.Repeat(digit, 0, INTEGER_DIGITS - 1)));
        anyInteger = grammar.rule("integer", either(whole, sequence(text("-"), new Expression.OneOf(CodePoints.range('1', '9')),
                new Expression.Repeat(digit, 0, INTEGER_DIGITS - 1))));
        anyNumber = grammar.rule("number", sequence(optional(text("-")), whole,
                optional(sequence(text("."), new Expression.Repeat(digit, 1, FRACTION_DIGITS))),
                optional(sequence(oneOf("eE"), optional(oneOf("+-")), new Expression.Repeat(digit, 1, 2)))));
    }

    /** A character of a string, as itself or escaped; no half of a surrogate pair is written. */
    private static Expression character() {
        Expression hex = new Expression.OneOf(HEX);
        Expression unit = either(
                sequence(new Expression.OneOf(HEX.minus(CodePoints.of("dD"))), hex, hex, hex),
                sequence(oneOf("dD"), oneOf("01234567"), hex, hex));
        Expression pair = sequence(oneOf("dD"), oneOf("89abAB"), hex, hex, text("\\u"), oneOf("dD"), oneOf("cdefCDEF"), hex, hex);
        return either(new Expression.OneOf(CharacterForm.ESCAPED.not()),
                sequence(text("\\"), either(oneOf("\"\\/bfnrt"), sequence(text("u"), either(unit, pair)))));
    }

    /** White space where it is allowed, which may be none. */
    Expression space() {
        return space;
    }

    Expression string(int least, int most) {
        return least == 0 && most == UNBOUNDED
                ? anyString
                : sequence(text("\""), new Expression.Repeat(character, least, most), text("\""));
    }

    Expression number() {
        return anyNumber;
    }

    Expression integer() {
        return anyInteger;
    }

    Expression anyValue() {
        Expression known = anyValue;
        if (known == null) {
            int rule = grammar.declare("value");
            known = new Expression.Call(rule);
            anyValue = known;
            grammar.define(rule, either(anyObject(), anyArray(), anyString, anyNumber, text("true"), text("false"), text("null")));
        }
        return known;
    }

    Expression anyObject() {
        Expression known = anyObject;
        if (known == null) {
            int rule = grammar.declare("object");
            known = new Expression.Call(rule);
            anyObject = known;
            grammar.define(rule, braces('{', list(member(anyString, anyValue()), 0, UNBOUNDED), '}'));
        }
        return known;
    }

    Expression anyArray() {
        Expression known = anyArray;
        if (known == null) {
            int rule = grammar.declare("array");
            known = new Expression.Call(rule);
            anyArray = known;
            grammar.define(rule, braces('[', list(anyValue(), 0, UNBOUNDED), ']'));
        }
        return known;
    }

    /** Something in brackets, whether or not there is something: {@code [ content ]} or {@code []}. */
    Expression braces(char open, Expression content, char close) {
        return sequence(text(String.valueOf(open)), space, content, space, text(String.valueOf(close)));
    }

    Expression member(Expression name, Expression value) {
        return sequence(name, text(":"), space, value);
    }

    Expression comma() {
        return sequence(text(","), space);
    }

    /** So many of the same, with commas between them. */
    Expression list(Expression element, int least, int most) {
        if (most == 0) {
            return Expression.EMPTY;
        }
        Expression some = sequence(element, new Expression.Repeat(sequence(comma(), element), Math.max(0, least - 1),
                most == UNBOUNDED ? UNBOUNDED : most - 1));
        return least == 0 ? optional(some) : some;
    }
}
