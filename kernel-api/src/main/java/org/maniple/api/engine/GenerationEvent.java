package org.maniple.api.engine;

import java.util.List;
import java.util.Optional;

/** What happens to a request. {@link Finished} or {@link Failed} is the last event. */
public sealed interface GenerationEvent {

    /**
     * The log-probabilities of the prompt, before the first token; only if they were asked for.
     *
     * @param prompt one entry for each prompt token but the first
     */
    record Prompt(List<TokenLogprob> prompt) implements GenerationEvent {}

    /**
     * New tokens.
     *
     * @param tokens their ids, in order
     * @param text what can be shown now; may be empty while a character or a possible stop text is incomplete, and belongs to tokens up
     *     to here. Always empty without a tokenizer
     * @param logprobs one for each token if they were asked for, otherwise empty
     */
    record Tokens(List<Integer> tokens, String text, List<TokenLogprob> logprobs) implements GenerationEvent {}

    /**
     * The vector that stands for the prompt, before the end; only if it was asked for ({@link Pooling}).
     *
     * @param values as many as the model's hidden state has, not normalised; the receiver's
     */
    record Embedding(float[] values) implements GenerationEvent {}

    /**
     * The end.
     *
     * @param reason why
     * @param stop the stop text, or the id of the stop token in decimal, that ended it
     * @param text what was held back until now
     * @param promptTokens length of the prompt
     * @param outputTokens tokens generated
     * @param cachedTokens tokens of the prompt that were in the prefix cache, so that they were not computed for this request
     */
    record Finished(FinishReason reason, Optional<Stop> stop, String text, int promptTokens, int outputTokens, int cachedTokens)
            implements GenerationEvent {

        /**
         * The end of a request that has computed all of its prompt.
         *
         * @param reason why
         * @param stop as above
         * @param text what was held back until now
         * @param promptTokens length of the prompt
         * @param outputTokens tokens generated
         */
        public Finished(FinishReason reason, Optional<Stop> stop, String text, int promptTokens, int outputTokens) {
            this(reason, stop, text, promptTokens, outputTokens, 0);
        }
    }

    /**
     * The request cannot go on, because the unit cannot.
     *
     * @param message a sentence for the client
     */
    record Failed(String message) implements GenerationEvent {}

    /** Why a request ended. */
    enum FinishReason {
        /** An end-of-sequence token, a stop token or a stop text. */
        STOP,
        /** The limit of tokens or of the context. */
        LENGTH,
        /** It was cancelled. */
        ABORT
    }

    /** What stopped a request other than the model's end-of-sequence token. */
    sealed interface Stop {
        /**
         * A stop text.
         *
         * @param text the text
         */
        record Text(String text) implements Stop {}

        /**
         * A stop token.
         *
         * @param id its id
         */
        record Token(int id) implements Stop {}
    }
}
