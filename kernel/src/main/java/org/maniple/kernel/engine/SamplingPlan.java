package org.maniple.kernel.engine;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.Sampling;
import org.maniple.kernel.structured.Guide;

/** A request's way of choosing tokens, with collections turned into arrays and the questions that each step asks answered beforehand. */
final class SamplingPlan {

    private static final double GREATEST_BIAS = 100;

    final Sampling sampling;
    final long seed;
    final int[] allowed;
    final int[][] badWords;
    final int[] biasIds;
    final double[] biasValues;
    final boolean penalised;
    /** Tokens that end the output and must not be chosen before the minimum. */
    final int[] ending;
    /** Leads the output along a constraint, if there is one. */
    final @Nullable Guide guide;
    /** Tokens that end the output and are no part of it, which a constraint allows where the output may end, and nowhere else. */
    final int[] concluding;

    private final int[] endOfSequence;
    private final int[] stopTokens;
    private final boolean shaped;
    private final int vocabulary;

    SamplingPlan(Sampling sampling, long randomSeed, ModelInfo model, @Nullable Guide guide) {
        this.sampling = sampling;
        this.guide = guide;
        vocabulary = model.vocabulary();
        seed = sampling.seed().orElse(randomSeed);
        allowed = sampling.allowedTokenIds().stream().mapToInt(Integer::intValue).distinct().toArray();
        badWords = sampling.badWords().stream().map(SamplingPlan::ints).toArray(int[][]::new);
        List<Map.Entry<Integer, Double>> bias = List.copyOf(sampling.logitBias().entrySet());
        biasIds = bias.stream().mapToInt(Map.Entry::getKey).toArray();
        biasValues = bias.stream().mapToDouble(entry -> Math.clamp(entry.getValue(), -GREATEST_BIAS, GREATEST_BIAS)).toArray();
        penalised = sampling.repetitionPenalty() != 1 || sampling.presencePenalty() != 0 || sampling.frequencyPenalty() != 0;
        endOfSequence = ints(model.eosTokenIds());
        stopTokens = ints(sampling.stopTokenIds());
        ending = IntStream.concat(Arrays.stream(endOfSequence), Arrays.stream(stopTokens))
                .filter(id -> id >= 0 && id < vocabulary)
                .distinct().toArray();
        shaped = penalised || allowed.length > 0 || badWords.length > 0 || biasIds.length > 0 || guide != null;
        concluding = guide == null
                ? new int[0]
                : Arrays.stream(ending).filter(id -> contains(endOfSequence, id) || !guide.isText(id)).toArray();
    }

    private static int[] ints(List<Integer> values) {
        return values.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Whether tokens that end the output are still kept away. */
    boolean tooEarlyToEnd(int outputTokens) {
        return outputTokens < sampling.minTokens();
    }

    boolean isEndOfSequence(int token) {
        return !sampling.ignoreEos() && contains(endOfSequence, token);
    }

    boolean isStopToken(int token) {
        return contains(stopTokens, token);
    }

    boolean concludes(int token) {
        return contains(concluding, token);
    }

    private static boolean contains(int[] values, int value) {
        for (int each : values) {
            if (each == value) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether the next token cannot be chosen from the best candidates alone. Asked before the step, and decided by the request alone, so
     * that a request takes the same way whatever else is in its batch.
     *
     * @param outputTokens tokens generated so far
     * @param candidates how many candidates the step will bring
     */
    boolean needsFullRow(int outputTokens, int candidates) {
        if (shaped || tooEarlyToEnd(outputTokens) && ending.length > 0) {
            return true;
        }
        // Below k, not at it: tokens that tie with the last of the top k belong to them and must be among the candidates too.
        boolean covered = sampling.topK() > 0 && sampling.topK() < candidates || candidates >= vocabulary;
        return !sampling.isGreedy() && !covered;
    }
}
