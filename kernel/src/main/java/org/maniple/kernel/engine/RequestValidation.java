package org.maniple.kernel.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.maniple.api.engine.GenerationRequest;
import org.maniple.api.engine.ModelInfo;
import org.maniple.api.engine.RefusedException;
import org.maniple.api.engine.RefusedException.Reason;
import org.maniple.api.engine.Sampling;

/** Refuses requests that can never be served, in the words that vLLM's clients know. */
final class RequestValidation {

    static final int MAX_LOGPROBS = 20;

    private final int vocabulary;
    private final int maxModelLength;
    private final int cacheTokens;
    private final boolean hasText;
    private final int homes;
    private final boolean priorities;

    /**
     * The rules of a unit.
     *
     * @param model the model
     * @param cacheTokens positions that the KV cache has for one request
     * @param hasText whether there is a tokenizer
     * @param homes groups of ranks that a request may be meant for
     * @param priorities whether some requests may go first
     */
    RequestValidation(ModelInfo model, int cacheTokens, boolean hasText, int homes, boolean priorities) {
        vocabulary = model.vocabulary();
        maxModelLength = model.maxModelLength();
        this.cacheTokens = cacheTokens;
        this.hasText = hasText;
        this.homes = homes;
        this.priorities = priorities;
    }

    /**
     * Checks a request.
     *
     * @return how long prompt and output may become together
     * @throws RefusedException if it can never be served
     */
    int maxLength(GenerationRequest request) {
        checkHome(request.home());
        require(priorities || request.priority() == 0, "Got priority " + request.priority()
                + " but Priority scheduling is not enabled. Start the unit with --scheduling-policy priority, or leave it out.");
        checkPrompt(request.prompt());
        if (request.pooling().isPresent()) {
            return checkLength(request.prompt().length, OptionalInt.of(0));
        }
        checkValues(request.sampling());
        checkTokens(request.sampling());
        return checkLength(request.prompt().length, request.sampling().maxTokens());
    }

    private static RefusedException refused(String message) {
        return new RefusedException(Reason.INVALID, message);
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw refused(message);
        }
    }

    private void checkHome(OptionalInt home) {
        int wanted = home.orElse(0);
        require(wanted >= 0 && wanted < homes, "data_parallel_rank " + wanted + " is out of range [0, " + homes
                + "): the sequences of this unit are "
                + (homes == 1 ? "not spread over groups of ranks" : "spread over " + homes + " groups of ranks"));
    }

    private void checkPrompt(int[] prompt) {
        require(prompt.length > 0, "The prompt cannot be empty");
        for (int token : prompt) {
            if (!known(token)) {
                throw refused("Token id " + token + " is out of vocabulary: ids are from 0 to " + (vocabulary - 1));
            }
        }
    }

    private boolean known(int token) {
        return token >= 0 && token < vocabulary;
    }

    private int checkLength(int prompt, OptionalInt maxTokens) {
        long requested = (long) prompt + maxTokens.orElse(1);
        if (requested > maxModelLength) {
            throw refused("This model's maximum context length is " + maxModelLength + " tokens. However, you requested "
                    + (maxTokens.isPresent() ? requested : prompt) + " tokens (" + prompt + " in the prompt, "
                    + (maxTokens.isPresent() ? maxTokens.getAsInt() : "and at least 1") + " for the completion). "
                    + "Please reduce the length of the prompt or completion.");
        }
        if (requested > cacheTokens) {
            throw refused("The request needs room for " + requested
                    + " tokens, which is larger than the maximum number of tokens that can "
                    + "be stored in KV cache (" + cacheTokens
                    + "). Reduce max_tokens or the prompt, or start the unit with a larger "
                    + "kv-cache-memory-bytes or num-gpu-blocks-override.");
        }
        return maxTokens.isPresent() ? (int) requested : Math.min(maxModelLength, cacheTokens);
    }

    private static void checkValues(Sampling sampling) {
        int max = sampling.maxTokens().orElse(Integer.MAX_VALUE);
        require(max >= 1, "max_tokens must be at least 1, got " + max + ".");
        require(sampling.minTokens() >= 0, "min_tokens must be greater than or equal to 0, got " + sampling.minTokens() + ".");
        require(sampling.minTokens() <= max,
                "min_tokens must be less than or equal to max_tokens=" + max + ", got " + sampling.minTokens() + ".");
        checkNumber("temperature", sampling.temperature(), sampling.temperature() >= 0, "must be non-negative");
        checkNumber("top_p", sampling.topP(), sampling.topP() > 0 && sampling.topP() <= 1, "must be in (0, 1]");
        require(sampling.topK() >= -1, "top_k must be 0 (disable), or at least 1, got " + sampling.topK() + ".");
        checkNumber("min_p", sampling.minP(), sampling.minP() >= 0 && sampling.minP() <= 1, "must be in [0, 1]");
        checkNumber("repetition_penalty", sampling.repetitionPenalty(), sampling.repetitionPenalty() > 0,
                "must be greater than zero");
        checkNumber("presence_penalty", sampling.presencePenalty(), Math.abs(sampling.presencePenalty()) <= 2,
                "must be in [-2, 2]");
        checkNumber("frequency_penalty", sampling.frequencyPenalty(), Math.abs(sampling.frequencyPenalty()) <= 2,
                "must be in [-2, 2]");
        checkLogprobs("sample", sampling.logprobs());
        checkLogprobs("prompt", sampling.promptLogprobs());
    }

    private static void checkNumber(String name, double value, boolean holds, String rule) {
        require(holds && Double.isFinite(value), name + " " + rule + ", got " + value + ".");
    }

    private static void checkLogprobs(String which, OptionalInt logprobs) {
        int count = logprobs.orElse(0);
        require(count >= 0, "Requested " + which + " logprobs must be non-negative, got " + count + ".");
        require(count <= MAX_LOGPROBS,
                "Requested " + which + " logprobs of " + count + ", which is greater than max allowed: " + MAX_LOGPROBS);
    }

    private void checkTokens(Sampling sampling) {
        checkKnown("logit_bias", sampling.logitBias().keySet());
        for (double bias : sampling.logitBias().values()) {
            require(Double.isFinite(bias), "logit_bias must be finite, got " + bias + ".");
        }
        checkKnown("allowed_token_ids", sampling.allowedTokenIds());
        for (List<Integer> words : sampling.badWords()) {
            require(!words.isEmpty(), "bad_words cannot contain an empty string.");
            checkKnown("bad_words", words);
        }
        for (String stop : sampling.stop()) {
            require(!stop.isEmpty(), "stop cannot contain an empty string.");
        }
        require(hasText || sampling.stop().isEmpty(),
                "stop strings are only supported when text is generated; this unit was started with skip-tokenizer-init");
    }

    private void checkKnown(String name, Iterable<Integer> tokens) {
        List<Integer> unknown = new ArrayList<>();
        for (int token : tokens) {
            if (!known(token)) {
                unknown.add(token);
            }
        }
        unknown.sort(null);
        require(unknown.isEmpty(),
                "token_id(s) " + unknown + " in " + name + " contain out-of-vocab token ids. Vocabulary size: " + vocabulary);
    }
}
