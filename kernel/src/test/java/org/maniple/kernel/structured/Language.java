package org.maniple.kernel.structured;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.maniple.api.engine.OutputConstraint;

/** The texts that a constraint allows, for tests. */
final class Language {

    private final Automaton automaton;

    private Language(Automaton automaton) {
        this.automaton = automaton;
    }

    static Language of(OutputConstraint constraint) {
        return new Language(Constraints.automaton(constraint));
    }

    static Language schema(String schema) {
        return of(new OutputConstraint.Schema(schema.replace('\'', '"'), false));
    }

    static Language regex(String pattern) {
        return of(new OutputConstraint.Regex(pattern));
    }

    static Language grammar(String grammar) {
        return of(new OutputConstraint.Grammar(grammar));
    }

    static void refuses(OutputConstraint constraint, String because) {
        assertThatThrownBy(() -> of(constraint)).isInstanceOf(ConstraintException.class).hasMessageContaining(because);
    }

    boolean has(String text) {
        Position end = after(text);
        return end.accepting;
    }

    boolean begins(String text) {
        return !automaton.isDead(after(text));
    }

    Position after(String text) {
        Position at = automaton.begin();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            at = automaton.next(at, b & 0xff);
        }
        return at;
    }

    Language with(String... texts) {
        for (String text : texts) {
            assertThat(has(text)).as("has [%s]", text).isTrue();
        }
        return this;
    }

    Language without(String... texts) {
        for (String text : texts) {
            assertThat(has(text)).as("has [%s]", text).isFalse();
        }
        return this;
    }
}
