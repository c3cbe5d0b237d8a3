package org.maniple.api.engine;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How tokens are chosen, and when a request ends. Names and meanings are vLLM's. The order is: allowed ids and minimum tokens, bias,
 * penalties, temperature, min-p, top-k, top-p, draw.
 *
 * @param maxTokens tokens to generate at most; empty: as many as the context has room for
 * @param minTokens tokens before which no end-of-sequence or stop token is chosen
 * @param temperature 0: the most likely token (greedy)
 * @param topP smallest set of tokens whose probabilities reach it; 1: all
 * @param topK the most likely tokens; 0 or -1: all
 * @param minP tokens at least this likely relative to the most likely one; 0: all
 * @param repetitionPenalty on tokens of prompt and output; 1: none
 * @param presencePenalty on tokens of the output; 0: none
 * @param frequencyPenalty on tokens of the output, per occurrence; 0: none
 * @param seed makes draws repeatable; empty: a random one
 * @param logitBias added to logits, by token id
 * @param allowedTokenIds the only tokens that may be chosen; empty: all
 * @param badWords token sequences that must not be completed
 * @param stop texts that end the output when they appear in it
 * @param includeStop whether such a text is part of the output
 * @param stopTokenIds tokens that end the output besides the model's end-of-sequence tokens
 * @param ignoreEos whether end-of-sequence tokens do not end the output
 * @param logprobs how many most likely tokens to report for each generated one; 0: only the chosen one; empty: none
 * @param promptLogprobs the same for prompt tokens
 * @param skipSpecialTokens whether special tokens are left out of the text
 * @param constraint what the output must be; end-of-sequence tokens are chosen only where it may end. Empty: anything
 */
public record Sampling(
        OptionalInt maxTokens,
        int minTokens,
        double temperature,
        double topP,
        int topK,
        double minP,
        double repetitionPenalty,
        double presencePenalty,
        double frequencyPenalty,
        OptionalLong seed,
        Map<Integer, Double> logitBias,
        List<Integer> allowedTokenIds,
        List<List<Integer>> badWords,
        List<String> stop,
        boolean includeStop,
        List<Integer> stopTokenIds,
        boolean ignoreEos,
        OptionalInt logprobs,
        OptionalInt promptLogprobs,
        boolean skipSpecialTokens,
        Optional<OutputConstraint> constraint) {

    /** Copies the collections. */
    public Sampling {
        logitBias = Map.copyOf(logitBias);
        allowedTokenIds = List.copyOf(allowedTokenIds);
        badWords = badWords.stream().map(List::copyOf).toList();
        stop = List.copyOf(stop);
        stopTokenIds = List.copyOf(stopTokenIds);
    }

    /**
     * Greedy, with everything else off.
     *
     * @param maxTokens tokens to generate at most
     * @return the parameters
     */
    public static Sampling greedy(int maxTokens) {
        return new Sampling(OptionalInt.of(maxTokens), 0, 0, 1, 0, 0, 1, 0, 0, OptionalLong.empty(), Map.of(), List.of(),
                List.of(),
                List.of(), false, List.of(), false, OptionalInt.empty(), OptionalInt.empty(), true, Optional.empty());
    }

    /**
     * The same with another seed.
     *
     * @param newSeed makes draws repeatable; empty: a random one
     * @return the parameters
     */
    public Sampling withSeed(OptionalLong newSeed) {
        return new Sampling(maxTokens, minTokens, temperature, topP, topK, minP, repetitionPenalty, presencePenalty, frequencyPenalty,
                newSeed, logitBias, allowedTokenIds, badWords, stop, includeStop, stopTokenIds, ignoreEos, logprobs, promptLogprobs,
                skipSpecialTokens, constraint);
    }

    /**
     * The same with another constraint.
     *
     * @param newConstraint what the output must be; empty: anything
     * @return the parameters
     */
    public Sampling withConstraint(Optional<OutputConstraint> newConstraint) {
        return new Sampling(maxTokens, minTokens, temperature, topP, topK, minP, repetitionPenalty, presencePenalty, frequencyPenalty,
                seed, logitBias, allowedTokenIds, badWords, stop, includeStop, stopTokenIds, ignoreEos, logprobs, promptLogprobs,
                skipSpecialTokens, newConstraint);
    }

    /**
     * Whether the most likely token is always chosen.
     *
     * @return whether the temperature is (practically) 0
     */
    public boolean isGreedy() {
        return temperature < 1e-5;
    }
}
