package org.maniple.api.engine;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * A request to continue a prompt, or to find a vector that stands for it.
 *
 * @param id unique among the running ones, for logs and cancellation
 * @param prompt token ids, at least one, each below the model's vocabulary
 * @param sampling how to go on
 * @param home with data parallelism the group of ranks that must compute it, from 0; empty: the unit chooses one
 * @param priority where it stands among others with {@code scheduling-policy: priority}: lower ones first, usually 0
 * @param cacheSalt it shares what is computed of its prompt only with requests that have the same one; empty: with those that have none
 * @param pooling instead of tokens a vector is wanted, found so; then {@code sampling} says nothing. Empty: tokens
 */
public record GenerationRequest(String id, int[] prompt, Sampling sampling, OptionalInt home, int priority,
        Optional<String> cacheSalt, Optional<Pooling> pooling) {

    /**
     * A request that generates tokens.
     *
     * @param id unique among the running ones, for logs and cancellation
     * @param prompt token ids, at least one, each below the model's vocabulary
     * @param sampling how to go on
     * @param home as above
     * @param priority as above
     * @param cacheSalt as above
     */
    public GenerationRequest(String id, int[] prompt, Sampling sampling, OptionalInt home, int priority,
            Optional<String> cacheSalt) {
        this(id, prompt, sampling, home, priority, cacheSalt, Optional.empty());
    }

    /**
     * A request that comes neither before nor after others, and shares its prompt.
     *
     * @param id unique among the running ones, for logs and cancellation
     * @param prompt token ids, at least one, each below the model's vocabulary
     * @param sampling how to go on
     * @param home as above
     */
    public GenerationRequest(String id, int[] prompt, Sampling sampling, OptionalInt home) {
        this(id, prompt, sampling, home, 0, Optional.empty());
    }

    /**
     * A request that any ranks may compute.
     *
     * @param id unique among the running ones, for logs and cancellation
     * @param prompt token ids, at least one, each below the model's vocabulary
     * @param sampling how to go on
     */
    public GenerationRequest(String id, int[] prompt, Sampling sampling) {
        this(id, prompt, sampling, OptionalInt.empty());
    }

    /**
     * The same for a certain group of ranks.
     *
     * @param group the group
     * @return a request that only this group may compute
     */
    public GenerationRequest at(int group) {
        return new GenerationRequest(id, prompt, sampling, OptionalInt.of(group), priority, cacheSalt, pooling);
    }

    /**
     * The same under another name.
     *
     * @param name the id
     * @return a request with this id
     */
    public GenerationRequest called(String name) {
        return new GenerationRequest(name, prompt, sampling, home, priority, cacheSalt, pooling);
    }

    /**
     * The same for a vector instead of tokens.
     *
     * @param how how it is found
     * @return a request that generates nothing
     */
    public GenerationRequest pooled(Pooling how) {
        return new GenerationRequest(id, prompt, sampling, home, priority, cacheSalt, Optional.of(how));
    }
}
