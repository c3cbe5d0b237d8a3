package org.maniple.serve.openai;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.GenerationEvent.Tokens;
import org.maniple.api.engine.TokenLogprob;

/**
 * Replies that show an answer as a list of blocks, each with a beginning and an end: a stretch of reasoning, of content, or a call. There is
 * one choice. Used on the event loop of a connection only.
 */
abstract class BlockFormat implements ReplyFormat {

    private Answer.@Nullable Block open;
    private final StringBuilder text = new StringBuilder();
    private int blocks;

    /** A block begins. */
    abstract void opened(Exchange out, int index, Answer.Block empty);

    /** A block goes on. */
    abstract void piece(Exchange out, int index, Answer.Block empty, String text);

    /** A block ends. */
    abstract void closed(Exchange out, int index, Answer.Block whole, boolean cut);

    @Override
    public final void prompt(Exchange out, Choice choice, List<TokenLogprob> entries) {
        // A stream has no log-probabilities of the prompt.
    }

    @Override
    public final void delta(Exchange out, Choice choice, Tokens tokens, List<AnswerPart> parts) {
        parts.forEach(part -> add(out, part));
    }

    @Override
    public final void end(Exchange out, Choice choice, List<AnswerPart> rest) {
        rest.forEach(part -> add(out, part));
        close(out, choice.isCut());
    }

    @Override
    public final void usage(Exchange out, List<Choice> choices) {
        // It is part of the last event.
    }

    private void add(Exchange out, AnswerPart part) {
        switch (part) {
            case AnswerPart.Reasoning(String more) -> {
                if (!(open instanceof Answer.Reasoning)) {
                    begin(out, new Answer.Reasoning(""));
                }
                more(out, more);
            }
            case AnswerPart.Content(String more) -> {
                if (!(open instanceof Answer.Content)) {
                    begin(out, new Answer.Content(""));
                }
                more(out, more);
            }
            case AnswerPart.Call(int index, String id, String name) -> begin(out, new Answer.ToolCall(id, name, ""));
            case AnswerPart.Arguments(int index, String more) -> more(out, more);
        }
    }

    private void begin(Exchange out, Answer.Block block) {
        close(out, false);
        open = block;
        text.setLength(0);
        opened(out, blocks, block);
    }

    private void more(Exchange out, String more) {
        if (open != null) {
            text.append(more);
            piece(out, blocks, open, more);
        }
    }

    private void close(Exchange out, boolean cut) {
        if (open != null) {
            closed(out, blocks, open.with(text.toString()), cut);
            open = null;
            blocks++;
        }
    }
}
