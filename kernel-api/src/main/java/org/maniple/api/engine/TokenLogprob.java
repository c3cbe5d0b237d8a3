package org.maniple.api.engine;

import java.util.List;

/**
 * A token's log-probability, with those of the most likely ones in its place (temperature 1, nothing filtered).
 *
 * @param token the token's id
 * @param logprob natural logarithm of its probability
 * @param rank 1 for the most likely token
 * @param top the most likely tokens, best first
 */
public record TokenLogprob(int token, double logprob, int rank, List<Candidate> top) {

    /** Copies the list. */
    public TokenLogprob {
        top = List.copyOf(top);
    }

    /**
     * A token and its log-probability.
     *
     * @param token its id
     * @param logprob natural logarithm of its probability
     */
    public record Candidate(int token, double logprob) {}
}
