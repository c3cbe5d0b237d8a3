package org.maniple.kernel.engine;

import java.util.ArrayList;
import java.util.List;
import org.maniple.api.engine.TokenLogprob;
import org.maniple.api.engine.TokenLogprob.Candidate;

/** Log-probabilities of the raw logits, before anything is filtered, biased or penalised: what vLLM reports by default. */
final class Logprobs {

    private Logprobs() {}

    /**
     * A token's log-probability with those of the most likely ones. A token that is not among the candidates needs the whole row.
     *
     * @param row a row of results
     * @param token the token
     * @param top how many of the most likely ones
     */
    static TokenLogprob of(LogitRow row, int token, int top) {
        double logSumExp = row.logSumExp();
        int count = row.candidates();
        List<Candidate> best = new ArrayList<>(Math.min(top, count));
        for (int i = 0; i < Math.min(top, count); i++) {
            best.add(new Candidate(row.candidateId(i), row.candidate(i) - logSumExp));
        }
        int index = 0;
        while (index < count && row.candidateId(index) != token) {
            index++;
        }
        float logit = index < count ? row.candidate(index) : row.logit(token);
        return new TokenLogprob(token, logit - logSumExp, rank(row, logit, count), best);
    }

    /** As vLLM counts: tokens at least as likely, so that tokens of equal probability share the last place among them. */
    private static int rank(LogitRow row, float logit, int candidates) {
        int rank = 0;
        while (rank < candidates && row.candidate(rank) >= logit) {
            rank++;
        }
        if (rank == candidates && row.isWhole()) {
            rank = 0;
            for (int token = 0; token < row.vocabulary(); token++) {
                if (row.logit(token) >= logit) {
                    rank++;
                }
            }
        }
        return Math.max(rank, 1);
    }
}
