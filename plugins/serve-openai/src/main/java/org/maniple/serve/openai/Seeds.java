package org.maniple.serve.openai;

import java.util.OptionalLong;
import org.maniple.api.engine.Sampling;

/** Gives each of several answers to one prompt a seed of its own, so that they differ and can all be repeated. */
final class Seeds {

    private Seeds() {}

    static Sampling shifted(Sampling sampling, int by) {
        if (by == 0 || sampling.seed().isEmpty()) {
            return sampling;
        }
        return new Sampling(sampling.maxTokens(), sampling.minTokens(), sampling.temperature(), sampling.topP(), sampling.topK(),
                sampling.minP(), sampling.repetitionPenalty(), sampling.presencePenalty(), sampling.frequencyPenalty(),
                OptionalLong.of(sampling.seed().getAsLong() + by), sampling.logitBias(), sampling.allowedTokenIds(),
                sampling.badWords(), sampling.stop(), sampling.includeStop(), sampling.stopTokenIds(), sampling.ignoreEos(),
                sampling.logprobs(), sampling.promptLogprobs(), sampling.skipSpecialTokens());
    }
}
