package org.maniple.api.engine;

/**
 * A request to continue a prompt.
 *
 * @param id unique among the running ones, for logs and cancellation
 * @param prompt token ids, at least one, each below the model's vocabulary
 * @param sampling how to go on
 */
public record GenerationRequest(String id, int[] prompt, Sampling sampling) {}
