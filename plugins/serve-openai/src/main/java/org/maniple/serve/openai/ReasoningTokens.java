package org.maniple.serve.openai;

import java.util.List;
import java.util.OptionalInt;

/** Counts the tokens of a reasoning, by the tokens that are its marks; where there are none, by where its text ends. */
final class ReasoningTokens {

    private final OptionalInt begin;
    private final OptionalInt end;
    private boolean inside;
    private int counted;

    ReasoningTokens(OptionalInt begin, OptionalInt end, boolean inside) {
        this.begin = begin;
        this.end = end;
        this.inside = inside;
    }

    int counted() {
        return counted;
    }

    /**
     * Takes tokens.
     *
     * @param insideText whether their text ends inside of the reasoning
     */
    void count(List<Integer> tokens, boolean insideText) {
        if (end.isEmpty()) {
            counted += insideText ? tokens.size() : 0;
            return;
        }
        for (int token : tokens) {
            if (token == end.getAsInt()) {
                inside = false;
            } else if (begin.isPresent() && token == begin.getAsInt()) {
                inside |= insideText || counted == 0;
            } else if (inside) {
                counted++;
            }
        }
    }
}
