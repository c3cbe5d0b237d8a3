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
}
