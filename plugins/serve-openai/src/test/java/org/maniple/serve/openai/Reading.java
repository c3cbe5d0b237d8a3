package org.maniple.serve.openai;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Collectors;

/** What an answer is read as, in a form that tests can compare: reasoning, content and calls, with null for what is not there. */
record Reading(String reasoning, String content, List<String> calls) {

    /** Reads a text that comes in pieces. */
    static Reading of(AnswerReader.Plan plan, List<String> pieces) {
        AnswerReader reader = new AnswerReader(plan);
        Answer answer = new Answer();
        for (String piece : pieces) {
            answer.add(reader.push(piece));
        }
        answer.add(reader.finish(""));
        return new Reading(answer.reasoning().orElse(null), answer.content().isEmpty() ? null : answer.content(),
                answer.calls().stream().map(call -> call.name() + call.arguments()).toList());
    }

    /** Reads with a format of calls alone. */
    static AnswerReader.Plan calls(ToolCallFormat format, Tool... tools) {
        return plan(Optional.empty(), false, Optional.of(format), tools);
    }

    static AnswerReader.Plan plan(Optional<ReasoningFormat> reasoning, boolean inside, Optional<ToolCallFormat> format,
            Tool... tools) {
        return new AnswerReader.Plan(reasoning, inside, true, format, List.of(tools), true, OptionalInt.empty(),
                OptionalInt.empty());
    }

    /** The text whole, cut once at every place, and in many random ways. */
    static List<List<String>> cuts(String text) {
        List<List<String>> cuts = new ArrayList<>();
        cuts.add(List.of(text));
        cuts.add(text.chars().mapToObj(Character::toString).toList());
        for (int at = 0; at <= text.length(); at++) {
            cuts.add(List.of(text.substring(0, at), text.substring(at)));
        }
        Random random = new Random(text.hashCode());
        for (int round = 0; round < 30; round++) {
            List<String> pieces = new ArrayList<>();
            int from = 0;
            while (from < text.length()) {
                int to = Math.min(text.length(), from + random.nextInt(1 + random.nextInt(20)));
                pieces.add(text.substring(from, to));
                from = to;
            }
            cuts.add(pieces);
        }
        return cuts;
    }

    /** The text whole, and cut in a few of these ways. */
    static List<List<String>> someCuts(String text) {
        List<List<String>> all = cuts(text);
        List<List<String>> some = new ArrayList<>(all.subList(0, 2));
        some.addAll(all.subList(all.size() - Math.min(10, all.size() - 2), all.size()));
        return some;
    }

    /** The same text with things happening to it: cut short, characters lost, doubled, or replaced. */
    static List<String> damaged(String text, int count) {
        Random random = new Random(text.hashCode());
        List<String> damaged = new ArrayList<>();
        for (int i = 0; i < count && !text.isEmpty(); i++) {
            int at = random.nextInt(text.length());
            damaged.add(switch (random.nextInt(4)) {
                case 0 -> text.substring(0, at);
                case 1 -> text.substring(0, at) + text.substring(at + 1);
                case 2 -> text.substring(0, at) + text.substring(random.nextInt(at + 1));
                default -> text.substring(0, at) + "<{}[]\"\\n|｜>".charAt(random.nextInt(11)) + text.substring(at + 1);
            });
        }
        return damaged;
    }

    @Override
    public String toString() {
        return "reasoning=" + reasoning + " content=" + content
                + calls.stream().map(call -> " " + call).collect(Collectors.joining());
    }
}
