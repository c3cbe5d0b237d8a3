package org.maniple.api.engine;

import java.util.List;

/**
 * What the whole output of a request must be (structured output). An engine compiles it before it takes the request, and refuses what it
 * cannot compile with {@link RefusedException.Reason#INVALID}. Immutable.
 */
public sealed interface OutputConstraint {

    /**
     * One JSON value that a schema allows.
     *
     * @param schema the JSON schema, as JSON text
     * @param compact whether there must be no white space between tokens; otherwise there may be a little
     */
    record Schema(String schema, boolean compact) implements OutputConstraint {}

    /**
     * Any JSON object.
     *
     * @param compact whether there must be no white space between tokens; otherwise there may be a little
     */
    record AnyObject(boolean compact) implements OutputConstraint {}

    /**
     * A text that a regular expression matches as a whole.
     *
     * @param pattern the expression
     */
    record Regex(String pattern) implements OutputConstraint {}

    /**
     * One of some texts.
     *
     * @param choices the texts, at least one
     */
    record Choice(List<String> choices) implements OutputConstraint {

        /** Copies the list. */
        public Choice {
            choices = List.copyOf(choices);
        }
    }

    /**
     * A text that a context-free grammar derives.
     *
     * @param grammar the grammar in GBNF, the EBNF of xgrammar, or the form of Lark
     */
    record Grammar(String grammar) implements OutputConstraint {}

    /**
     * A reasoning, which may be anything but has an end, and then a text that another constraint allows.
     *
     * @param begin the mark before the reasoning
     * @param end the mark after it, which is not in it
     * @param inside whether the output begins inside of the reasoning, since the mark before it is in the prompt or left out; otherwise it may begin
     *     with that mark, or there is no reasoning
     * @param then what comes after it, but for some line breaks
     */
    record AfterReasoning(String begin, String end, boolean inside, OutputConstraint then) implements OutputConstraint {

        /** Checks that there are marks, and one reasoning. */
        public AfterReasoning {
            if (begin.isEmpty() || end.isEmpty() || then instanceof AfterReasoning) {
                throw new IllegalArgumentException(
                        "a reasoning needs marks and comes once, not [" + begin + "] and [" + end + "] before " + then);
            }
        }
    }
}
