package org.maniple.api.checkpoint;

import java.util.List;

/**
 * A byte-pair {@code tokenizer.json} taken apart: its vocabulary and merges, of which there are hundreds of thousands, as lists, and the rest as the
 * file. Whoever has read them from elsewhere need not write them as JSON for somebody who reads them again. Immutable; its content is as hostile as
 * the file's until checked.
 *
 * @param rest the file with an empty {@code model.vocab} and no {@code model.merges}
 * @param tokens the vocabulary, by id; nobody has looked whether one is there twice
 * @param merges the first one is applied first
 */
public record TokenizerParts(String rest, List<String> tokens, List<Merge> merges) {

    /**
     * Two tokens that become one.
     *
     * @param left the first
     * @param right the second
     */
    public record Merge(String left, String right) {}

    /** Copies the lists. */
    public TokenizerParts {
        tokens = List.copyOf(tokens);
        merges = List.copyOf(merges);
    }
}
