package org.maniple.kernel.structured;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.engine.OutputConstraint;

/** The tokens that may come next are exactly those whose bytes may. */
class TokenMaskTest {

    private static final String TEXT = "{\"name\": \"Grüße, 世界 🌍\", \"tags\": [\"a\", \"bc\"], \"n\": -12.5e3, \"ok\": true, \"x\": null}\n"
            + "yes yesterday 2026-11-28 \\u00fc aaa bbb (1+2)*3 abcabc";

    static Stream<OutputConstraint> constraints() {
        return Stream.of(
                new OutputConstraint.AnyObject(false),
                new OutputConstraint.Schema("{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":6},"
                        + "\"n\":{\"type\":\"number\",\"minimum\":-20,\"maximum\":3.5},\"tags\":{\"type\":\"array\",\"items\":"
                        + "{\"enum\":[\"a\",\"abc\"]},\"maxItems\":3}},\"required\":[\"n\"]}", false),
                new OutputConstraint.Regex("(a|ab|abc)*[^x]世?.{0,3}"),
                new OutputConstraint.Choice(List.of("yes", "yesterday", "世界")),
                new OutputConstraint.Grammar("root ::= (\"(\" root \")\" | [0-9]) ([+*] root)?"));
    }

    @ParameterizedTest
    @MethodSource("constraints")
    void areThoseThatFit(OutputConstraint constraint) {
        ListCodec codec = ListCodec.piecesOf(TEXT, 400, 3);
        CompiledConstraint compiled = new ConstraintCompiler(codec, codec.vocabularySize() + 7).compiled(constraint);
        Automaton fresh = Constraints.automaton(constraint);
        var random = new Random(17);
        for (int walk = 0; walk < 12; walk++) {
            Position position = compiled.begin();
            Position expected = fresh.begin();
            for (int step = 0; step < 25; step++) {
                List<Integer> fitting = fitting(codec, fresh, expected);
                assertThat(allowed(compiled.mask(position), codec.vocabularySize() + 7)).isEqualTo(fitting);
                if (fitting.isEmpty()) {
                    assertThat(expected.accepting).isTrue();
                    break;
                }
                int token = fitting.get(random.nextInt(fitting.size()));
                position = compiled.after(position, token);
                for (byte b : codec.bytes(token)) {
                    expected = fresh.next(expected, b & 0xff);
                }
                assertThat(position.accepting).isEqualTo(expected.accepting);
            }
        }
    }

    private static List<Integer> fitting(ListCodec codec, Automaton automaton, Position from) {
        List<Integer> fitting = new ArrayList<>();
        for (int token = 0; token < codec.end(); token++) {
            Position at = from;
            for (byte b : codec.bytes(token)) {
                at = automaton.next(at, b & 0xff);
            }
            if (!automaton.isDead(at)) {
                fitting.add(token);
            }
        }
        return fitting;
    }

    private static List<Integer> allowed(long[] mask, int vocabulary) {
        return IntStream.range(0, vocabulary).filter(token -> (mask[token >>> 6] & 1L << token) != 0).boxed().toList();
    }

    @Test
    void areKeptForPositionsThatComeAgain() {
        ListCodec codec = ListCodec.of("ab", "ba");
        CompiledConstraint compiled = new ConstraintCompiler(codec, codec.vocabularySize())
                .compiled(new OutputConstraint.Regex("[ab]*"));
        Position later = compiled.after(compiled.begin(), 'a');
        assertThat(compiled.mask(compiled.after(compiled.after(later, 'b'), 'a'))).isSameAs(compiled.mask(later));
    }

    @Test
    void areTheSameAfterWhatWasKnownHasBeenForgotten() {
        ListCodec codec = ListCodec.piecesOf(TEXT, 200, 4);
        // So many positions that they cannot all be kept.
        CompiledConstraint compiled = new ConstraintCompiler(codec, codec.vocabularySize())
                .compiled(new OutputConstraint.Schema("{\"type\":\"string\",\"minLength\":9000,\"maxLength\":9001}", true));
        Position position = compiled.after(compiled.begin(), '"');
        long[] first = compiled.mask(position);
        for (int i = 0; i < 8000; i++) {
            position = compiled.after(position, 'a' + i % 2);
            if (i % 10 == 0) {
                assertThat(compiled.mask(position)).isEqualTo(first);
            }
        }
    }

    @Test
    void aTokenThatIsNotAllowedIsNotTaken() {
        ListCodec codec = ListCodec.of("ab");
        CompiledConstraint compiled = new ConstraintCompiler(codec, codec.vocabularySize())
                .compiled(new OutputConstraint.Regex("a"));
        assertThatThrownBy(() -> compiled.after(compiled.begin(), 256)).hasMessageContaining("token 256 was chosen");
        assertThatThrownBy(() -> compiled.after(compiled.begin(), codec.end())).hasMessageContaining("was chosen");
    }

    @Test
    void aGuideKnowsWhereTheOutputMayAndMustEnd() {
        ListCodec codec = ListCodec.of();
        Guide guide = new ConstraintCompiler(codec, codec.vocabularySize()).guide(new OutputConstraint.Choice(List.of("a", "ab")));
        guide.work();
        assertThat(guide.await()).isNull();
        assertThat(guide.mayEnd()).isFalse();
        guide.chosen('a');
        guide.work();
        assertThat(guide.await()).isNull();
        assertThat(guide.mayEnd()).isTrue();
        assertThat(guide.mustEnd()).isFalse();
        assertThat(guide.allows('b')).isTrue();
        guide.chosen('b');
        guide.work();
        assertThat(guide.await()).isNull();
        assertThat(guide.mustEnd()).isTrue();
        assertThat(guide.isText('a')).isTrue();
        assertThat(guide.isText(codec.end())).isFalse();
    }

    @Test
    void ofAGrammarWithVeryManyReadingsSomeAreFollowedAndNoneEndsHalfWay() {
        Language language = Language.grammar("""
                root ::= s
                s ::= "a" s | "a" s s | "a"
                """);
        for (int length = 1; length < 60; length++) {
            assertThat(language.has("a".repeat(length))).as("%d", length).isTrue();
        }
        assertThat(language.begins("b")).isFalse();
    }
}
