package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** An answer put together from its parts. */
final class Answer {

    /** A call with its whole arguments. */
    record ToolCall(String id, String name, String arguments) {}

    private static final class Open {

        final AnswerPart.Call call;
        final StringBuilder arguments = new StringBuilder();

        Open(AnswerPart.Call call) {
            this.call = call;
        }
    }

    private final StringBuilder reasoning = new StringBuilder();
    private final StringBuilder content = new StringBuilder();
    private final List<Open> calls = new ArrayList<>();

    void add(List<AnswerPart> parts) {
        for (AnswerPart part : parts) {
            switch (part) {
                case AnswerPart.Reasoning(String text) -> reasoning.append(text);
                case AnswerPart.Content(String text) -> content.append(text);
                case AnswerPart.Call call -> calls.add(new Open(call));
                case AnswerPart.Arguments(int index, String text) -> calls.get(index).arguments.append(text);
            }
        }
    }

    /** What the model thought; empty if nothing. */
    Optional<String> reasoning() {
        return reasoning.isEmpty() ? Optional.empty() : Optional.of(reasoning.toString());
    }

    /** What it said, which may be nothing. */
    String content() {
        return content.toString();
    }

    List<ToolCall> calls() {
        return calls.stream().map(open -> new ToolCall(open.call.id(), open.call.name(), open.arguments.toString())).toList();
    }
}
