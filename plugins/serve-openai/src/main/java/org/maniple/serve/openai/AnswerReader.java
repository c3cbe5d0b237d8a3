package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.GenerationEvent.Tokens;
import org.maniple.api.engine.OutputConstraint;

/**
 * Takes one answer apart as it comes: reasoning, content and calls. What the parts add up to does not depend on the pieces in which the
 * text came. White space beside a call is dropped, as are further calls if only one is wanted. Used on the event loop of a connection
 * only.
 */
final class AnswerReader {

    /**
     * How to read.
     *
     * @param reasoning how reasoning is written; empty: it stays where it is
     * @param inside whether the answer begins inside of it
     * @param showReasoning whether it is shown or dropped
     * @param calls how calls are written; empty: they stay where they are
     * @param tools the tools that may be called
     * @param parallel whether more than one call is wanted
     * @param begin the token that is the mark before the reasoning, if there is one
     * @param end the token that is the mark after it, if there is one
     */
    record Plan(Optional<ReasoningFormat> reasoning, boolean inside, boolean showReasoning, Optional<ToolCallFormat> calls,
            List<Tool> tools, boolean parallel, OptionalInt begin, OptionalInt end) {

        /** Everything is content. */
        static final Plan PLAIN = new Plan(Optional.empty(), false, true, Optional.empty(), List.of(), true, OptionalInt.empty(),
                OptionalInt.empty());

        /** The same for an answer whose output is constrained: where the prompt has the reasoning, the answer has none. */
        Plan constrainedAfter(ChatPrompt prompt) {
            return reasoning.isPresent() && reasoning.get().isOver(prompt)
                    ? new Plan(Optional.empty(), false, showReasoning, calls, tools, parallel, OptionalInt.empty(),
                            OptionalInt.empty())
                    : after(prompt);
        }

        /** Has a constraint begin after the reasoning, if there is to be one: the model thinks freely. */
        OutputConstraint behindReasoning(OutputConstraint constraint) {
            return reasoning
                    .<OutputConstraint>map(format -> new OutputConstraint.AfterReasoning(format.begin(), format.end(), inside,
                            constraint))
                    .orElse(constraint);
        }

        /** The same for an answer to this prompt. */
        Plan after(ChatPrompt prompt) {
            return new Plan(reasoning, reasoning.map(format -> format.beginsInside(prompt)).orElse(false), showReasoning, calls,
                    tools, parallel, begin, end);
        }
    }

    private final Plan plan;
    private final @Nullable ReasoningReader reasoning;
    private final @Nullable CallReader calls;
    private final ReasoningTokens tokens;
    private final StringBuilder space = new StringBuilder();
    private final StringBuilder run = new StringBuilder();
    private List<AnswerPart> parts = new ArrayList<>();
    private @Nullable Kind kind;
    private boolean content;
    private boolean skipping;
    private int called;

    private enum Kind {
        REASONING, CONTENT, ARGUMENTS
    }

    AnswerReader(Plan plan) {
        this.plan = plan;
        this.tokens = new ReasoningTokens(plan.begin(), plan.end(), plan.inside());
        this.reasoning = plan.reasoning().isEmpty()
                ? null
                : new ReasoningReader(plan.reasoning().get(), plan.inside(), new ReasoningReader.Sink() {
                    @Override
                    public void reasoning(CharSequence text) {
                        if (plan.showReasoning()) {
                            add(Kind.REASONING, text);
                        }
                    }

                    @Override
                    public void answer(char c) {
                        AnswerReader.this.answer(c);
                    }
                });
        this.calls = plan.calls().isEmpty() ? null : plan.calls().get().open(plan.tools(), new CallSink() {
            @Override
            public void content(CharSequence text) {
                AnswerReader.this.content(text);
            }

            @Override
            public void call(String name) {
                AnswerReader.this.call(name);
            }

            @Override
            public void arguments(CharSequence piece) {
                if (!skipping) {
                    add(Kind.ARGUMENTS, piece);
                }
            }
        });
    }

    /** Takes more tokens and their text. Returns as {@link #push}. */
    List<AnswerPart> read(Tokens more) {
        List<AnswerPart> certain = push(more.text());
        if (reasoning != null) {
            tokens.count(more.tokens(), reasoning.isInside());
        }
        return certain;
    }

    /** How many tokens the reasoning has had so far, its marks not counted; empty if it is not looked for. */
    OptionalInt reasoningTokens() {
        return reasoning == null ? OptionalInt.empty() : OptionalInt.of(tokens.counted());
    }

    /** Takes more text. Returns the parts that are now certain, of which neighbours differ in kind. */
    List<AnswerPart> push(String text) {
        if (reasoning == null && calls == null) {
            content |= !text.isEmpty();
            return text.isEmpty() ? List.of() : List.of(new AnswerPart.Content(text));
        }
        for (int i = 0; i < text.length(); i++) {
            if (reasoning == null) {
                answer(text.charAt(i));
            } else {
                reasoning.take(text.charAt(i));
            }
        }
        return taken();
    }

    /** Takes the last text, after which nothing is held back. */
    List<AnswerPart> finish(String text) {
        List<AnswerPart> all = new ArrayList<>(push(text));
        if (reasoning != null) {
            reasoning.finish();
        }
        if (calls != null) {
            calls.finish();
        }
        if (called == 0 && !(afterReasoning() && !content)) {
            add(Kind.CONTENT, space);
        }
        all.addAll(taken());
        return all;
    }

    /** Whether the request has named the tool that is called. */
    boolean isNamed() {
        return plan.calls().filter(NamedFormat.class::isInstance).isPresent();
    }

    /** How many calls have been found, also those that are not wanted. */
    int called() {
        return called;
    }

    private boolean afterReasoning() {
        return reasoning != null && reasoning.hasBegun();
    }

    private void answer(char c) {
        if (calls == null) {
            content(String.valueOf(c));
        } else {
            calls.take(c);
        }
    }

    private void content(CharSequence text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (CallObject.isSpace(c) && (calls != null || !content)) {
                space.append(c);
                continue;
            }
            if (!content && afterReasoning()) {
                space.setLength(0);
            }
            if (!space.isEmpty()) {
                add(Kind.CONTENT, space);
                space.setLength(0);
            }
            content = true;
            add(Kind.CONTENT, String.valueOf(c));
        }
    }

    private void call(String name) {
        space.setLength(0);
        endRun();
        skipping = called > 0 && !plan.parallel();
        if (!skipping) {
            parts.add(new AnswerPart.Call(called, plan.calls().orElseThrow().newId(), name));
        }
        called++;
    }

    private void add(Kind next, CharSequence text) {
        if (text.isEmpty()) {
            return;
        }
        if (kind != next) {
            endRun();
            kind = next;
        }
        run.append(text);
    }

    private void endRun() {
        if (kind != null && !run.isEmpty()) {
            String text = run.toString();
            parts.add(switch (kind) {
                case REASONING -> new AnswerPart.Reasoning(text);
                case CONTENT -> new AnswerPart.Content(text);
                case ARGUMENTS -> new AnswerPart.Arguments(called - 1, text);
            });
        }
        run.setLength(0);
        kind = null;
    }

    private List<AnswerPart> taken() {
        endRun();
        List<AnswerPart> taken = parts;
        parts = new ArrayList<>();
        return taken;
    }
}
