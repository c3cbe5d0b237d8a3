package org.maniple.api.engine;

import java.util.OptionalInt;

/**
 * A request to continue a prompt.
 *
 * @param id unique among the running ones, for logs and cancellation
 * @param prompt token ids, at least one, each below the model's vocabulary
 * @param sampling how to go on
 * @param home with data parallelism the group of ranks that must compute it, from 0; empty: the unit chooses one
 */
public record GenerationRequest(String id, int[] prompt, Sampling sampling, OptionalInt home) {

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
}
