package org.maniple.serve.openai;

import java.util.List;
import org.maniple.api.engine.GenerationEvent.Tokens;
import org.maniple.api.engine.TokenLogprob;
import tools.jackson.core.JsonGenerator;

/** How a route writes what the engine says. A format belongs to one request. */
interface ReplyFormat {

    /** The whole reply at once. */
    void whole(JsonGenerator json, List<Choice> choices);

    /** The events that a stream begins with, for one choice. */
    void begin(Exchange out, Choice choice);

    /** The log-probabilities of a choice's prompt are known. */
    void prompt(Exchange out, Choice choice, List<TokenLogprob> entries);

    /** New tokens of a choice, and the parts of the answer that are certain now. */
    void delta(Exchange out, Choice choice, Tokens tokens, List<AnswerPart> parts);

    /** A choice has ended; {@code rest} is what was held back. */
    void end(Exchange out, Choice choice, List<AnswerPart> rest);

    /** The event with the usage, after all choices have ended. */
    void usage(Exchange out, List<Choice> choices);

    /** The events after all choices have ended. */
    default void complete(Exchange out, List<Choice> choices) {
        // Most streams just end.
    }

    /** The event that says that the engine has failed in mid-stream. */
    default void failed(Exchange out, List<Choice> choices, ApiException problem) {
        out.event(problem.reply());
    }

    /** Whether a stream ends with the event {@code [DONE]}. */
    default boolean saysDone() {
        return true;
    }
}
