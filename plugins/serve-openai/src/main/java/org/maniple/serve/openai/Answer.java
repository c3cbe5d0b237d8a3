package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** An answer put together from its parts. */
final class Answer {

    /** A stretch of an answer that is of one kind, as far as it has come. */
    sealed interface Block {

        /** What the model thought, said, or gave to a tool. */
        String text();

        /** The same with another text. */
        Block with(String other);
    }

    /** A stretch of reasoning. */
    record Reasoning(String text) implements Block {

        @Override
        public Reasoning with(String other) {
            return new Reasoning(other);
        }
    }

    /** A stretch of content. */
    record Content(String text) implements Block {

        @Override
        public Content with(String other) {
            return new Content(other);
        }
    }

    /** A call; the text are its arguments. */
    record ToolCall(String id, String name, String text) implements Block {

        String arguments() {
            return text;
        }

        @Override
        public ToolCall with(String other) {
            return new ToolCall(id, name, other);
        }
    }

    private final List<Block> whole = new ArrayList<>();
    private @Nullable Block open;
    private final StringBuilder text = new StringBuilder();

    void add(List<AnswerPart> parts) {
        for (AnswerPart part : parts) {
            switch (part) {
                case AnswerPart.Reasoning(String more) -> {
                    if (!(open instanceof Reasoning)) {
                        begin(new Reasoning(""));
                    }
                    text.append(more);
                }
                case AnswerPart.Content(String more) -> {
                    if (!(open instanceof Content)) {
                        begin(new Content(""));
                    }
                    text.append(more);
                }
                case AnswerPart.Call(int index, String id, String name) -> begin(new ToolCall(id, name, ""));
                case AnswerPart.Arguments(int index, String more) -> text.append(more);
            }
        }
    }

    /** Its stretches in their order. */
    List<Block> blocks() {
        List<Block> blocks = new ArrayList<>(whole);
        if (open != null) {
            blocks.add(open.with(text.toString()));
        }
        return blocks;
    }

    /** What the model thought; empty if nothing. */
    Optional<String> reasoning() {
        List<Block> blocks = blocks().stream().filter(Reasoning.class::isInstance).toList();
        return blocks.isEmpty() ? Optional.empty() : Optional.of(joined(blocks));
    }

    /** What it said, which may be nothing. */
    String content() {
        return joined(blocks().stream().filter(Content.class::isInstance).toList());
    }

    List<ToolCall> calls() {
        return blocks().stream().filter(ToolCall.class::isInstance).map(ToolCall.class::cast).toList();
    }

    private void begin(Block block) {
        if (open != null) {
            whole.add(open.with(text.toString()));
        }
        open = block;
        text.setLength(0);
    }

    private static String joined(List<Block> blocks) {
        return blocks.stream().map(Block::text).collect(Collectors.joining());
    }
}
