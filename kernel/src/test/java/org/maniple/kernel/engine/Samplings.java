package org.maniple.kernel.engine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.maniple.api.engine.OutputConstraint;
import org.maniple.api.engine.Sampling;

/** Builds parameters for tests: vLLM's defaults, and what differs. */
final class Samplings {

    OptionalInt maxTokens = OptionalInt.of(16);
    int minTokens;
    double temperature = 1;
    double topP = 1;
    int topK;
    double minP;
    double repetition = 1;
    double presence;
    double frequency;
    OptionalLong seed = OptionalLong.empty();
    Map<Integer, Double> bias = new HashMap<>();
    List<Integer> allowed = new ArrayList<>();
    List<List<Integer>> badWords = new ArrayList<>();
    List<String> stop = new ArrayList<>();
    boolean includeStop;
    List<Integer> stopTokens = new ArrayList<>();
    boolean ignoreEos;
    OptionalInt logprobs = OptionalInt.empty();
    OptionalInt promptLogprobs = OptionalInt.empty();
    Optional<OutputConstraint> constraint = Optional.empty();

    static Samplings greedy(int maxTokens) {
        var samplings = new Samplings();
        samplings.temperature = 0;
        samplings.maxTokens = OptionalInt.of(maxTokens);
        return samplings;
    }

    static Samplings seeded(int maxTokens, long seed) {
        Samplings samplings = greedy(maxTokens);
        samplings.temperature = 1;
        samplings.seed = OptionalLong.of(seed);
        return samplings;
    }

    Samplings with(java.util.function.Consumer<Samplings> change) {
        change.accept(this);
        return this;
    }

    Sampling build() {
        return new Sampling(maxTokens, minTokens, temperature, topP, topK, minP, repetition, presence, frequency, seed, bias,
                allowed, badWords,
                stop, includeStop, stopTokens, ignoreEos, logprobs, promptLogprobs, true, constraint);
    }
}
