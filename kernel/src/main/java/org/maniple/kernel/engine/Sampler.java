package org.maniple.kernel.engine;

import java.util.Arrays;
import org.maniple.api.engine.Sampling;
import org.maniple.kernel.structured.Guide;

/**
 * Chooses tokens. The order of operations is vLLM's: what a constraint allows, allowed ids, bad words, minimum tokens, bias, repetition,
 * frequency and presence penalty, then the greatest one, or temperature, min-p, top-k, top-p and a draw. Used by the engine's thread alone; allocates nothing.
 */
final class Sampler {

    /** What {@link #choose} returns if no token may be chosen. */
    static final int NONE = -1;

    private final double[] row;
    private final double[] saved;
    private final int[] occurrences;
    private final boolean[] seen;
    private final Selection selection;
    private final int candidates;

    Sampler(int vocabulary, int candidates) {
        this.candidates = candidates;
        row = new double[vocabulary];
        saved = new double[vocabulary];
        occurrences = new int[vocabulary];
        seen = new boolean[vocabulary];
        selection = new Selection(Math.max(vocabulary, candidates));
    }

    /**
     * Chooses the token that follows.
     *
     * @param plan how; if it has a guide, what that allows is known by now
     * @param tokens prompt and output so far
     * @param promptLength how many of them are the prompt
     * @param length how many there are, which is also the position of the new one
     * @param logits the row of results
     * @return the token, or {@link #NONE}
     */
    int choose(SamplingPlan plan, int[] tokens, int promptLength, int length, LogitRow logits) {
        boolean whole = plan.needsFullRow(length - promptLength, candidates);
        if (whole) {
            logits.copyTo(row);
            shape(plan, tokens, promptLength, length);
        }
        if (plan.sampling.isGreedy()) {
            return whole ? greatest() : logits.candidateId(0);
        }
        select(plan.sampling, logits, whole);
        return selection.draw(plan.seed, length);
    }

    /**
     * Guesses the token of a position from what a layer that guesses says about it, with the same draw that will choose it: where the layer is
     * right about the probabilities, the guess comes true.
     *
     * @param plan how tokens are chosen; what shapes logits is left aside
     * @param position of the guess
     * @param logits the row of the pass
     * @return the token, or {@link #NONE}
     */
    int guess(SamplingPlan plan, int position, LogitRow logits) {
        if (plan.sampling.isGreedy() || logits.candidates() == 0) {
            return logits.candidateId(0);
        }
        select(plan.sampling, logits, false);
        return selection.draw(plan.seed, position);
    }

    /** What the last {@link #choose} drew from. */
    Selection selection() {
        return selection;
    }

    private void select(Sampling sampling, LogitRow logits, boolean whole) {
        selection.clear();
        if (whole) {
            for (int token = 0; token < row.length; token++) {
                selection.add(token, row[token]);
            }
        } else {
            int count = logits.candidates();
            for (int i = 0; i < count; i++) {
                selection.add(logits.candidateId(i), logits.candidate(i));
            }
        }
        selection.filter(sampling.temperature(), sampling.minP(), sampling.topK(), sampling.topP());
    }

    private int greatest() {
        int best = NONE;
        double greatest = Double.NEGATIVE_INFINITY;
        for (int token = 0; token < row.length; token++) {
            if (row[token] > greatest) {
                greatest = row[token];
                best = token;
            }
        }
        return best;
    }

    private void shape(SamplingPlan plan, int[] tokens, int promptLength, int length) {
        Guide guide = plan.guide;
        if (guide != null) {
            keepGuided(plan, guide);
        }
        if (plan.allowed.length > 0) {
            keepOnly(plan.allowed);
        }
        for (int[] words : plan.badWords) {
            if (completes(words, tokens, promptLength, length)) {
                row[words[words.length - 1]] = Double.NEGATIVE_INFINITY;
            }
        }
        // An output that is complete ends even if it should have become longer.
        if (plan.tooEarlyToEnd(length - promptLength) && (guide == null || !guide.mustEnd())) {
            for (int token : plan.ending) {
                row[token] = Double.NEGATIVE_INFINITY;
            }
        }
        for (int i = 0; i < plan.biasIds.length; i++) {
            row[plan.biasIds[i]] += plan.biasValues[i];
        }
        if (plan.penalised) {
            penalise(plan.sampling, tokens, promptLength, length);
        }
    }

    private void keepGuided(SamplingPlan plan, Guide guide) {
        int[] concluding = plan.concluding;
        for (int i = 0; i < concluding.length; i++) {
            saved[i] = guide.mayEnd() ? row[concluding[i]] : Double.NEGATIVE_INFINITY;
        }
        for (int token = 0; token < row.length; token++) {
            if (!guide.allows(token)) {
                row[token] = Double.NEGATIVE_INFINITY;
            }
        }
        for (int i = 0; i < concluding.length; i++) {
            row[concluding[i]] = saved[i];
        }
    }

    private void keepOnly(int[] allowed) {
        for (int i = 0; i < allowed.length; i++) {
            saved[i] = row[allowed[i]];
        }
        Arrays.fill(row, Double.NEGATIVE_INFINITY);
        for (int i = 0; i < allowed.length; i++) {
            row[allowed[i]] = saved[i];
        }
    }

    /** Whether the output ends with all but the last of a sequence; a sequence of one token is always about to be completed. */
    private static boolean completes(int[] words, int[] tokens, int promptLength, int length) {
        int prefix = words.length - 1;
        return prefix <= length - promptLength && Arrays.equals(words, 0, prefix, tokens, length - prefix, length);
    }

    private void penalise(Sampling sampling, int[] tokens, int promptLength, int length) {
        for (int i = promptLength; i < length; i++) {
            occurrences[tokens[i]]++;
        }
        for (int i = 0; i < length; i++) {
            int token = tokens[i];
            if (!seen[token]) {
                seen[token] = true;
                row[token] = penalised(sampling, row[token], occurrences[token]);
            }
        }
        for (int i = 0; i < length; i++) {
            seen[tokens[i]] = false;
            occurrences[tokens[i]] = 0;
        }
    }

    private static double penalised(Sampling sampling, double logit, int occurrences) {
        double repeated = logit > 0 ? logit / sampling.repetitionPenalty() : logit * sampling.repetitionPenalty();
        return occurrences == 0
                ? repeated
                : repeated - sampling.frequencyPenalty() * occurrences - sampling.presencePenalty();
    }
}
