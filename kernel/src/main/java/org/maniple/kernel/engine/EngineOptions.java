package org.maniple.kernel.engine;

import java.util.OptionalLong;

/**
 * What an engine is told about its unit. With data parallelism the limits of steps and the KV blocks are those of each home.
 *
 * @param maxBatchedTokens tokens of a step at most ({@code max-num-batched-tokens})
 * @param maxSequences requests that take part in steps at most ({@code max-num-seqs})
 * @param chunk tokens of one prompt in a step at most; 0: as many as the step has room for
 * @param maxQueued requests that may wait for room ({@code max-num-queued-reqs})
 * @param kvBlocks KV blocks that every rank has, which are those of its home
 * @param seed where the seeds of requests that bring none begin; empty: they are random ({@code seed})
 * @param candidates how many candidates the pipeline's results bring for each row
 */
public record EngineOptions(int maxBatchedTokens, int maxSequences, int chunk, int maxQueued, int kvBlocks, OptionalLong seed,
        int candidates) {

    /** Checks that each has a sense. */
    public EngineOptions {
        if (maxBatchedTokens < 1 || maxSequences < 1 || chunk < 0 || maxQueued < 1 || kvBlocks < 1 || candidates < 1) {
            throw new IllegalArgumentException(
                    "An engine needs at least one token and sequence per step, one place in its queue, one KV "
                            + "block and one candidate, and no negative chunk; asked for were [" + maxBatchedTokens + " tokens, "
                            + maxSequences
                            + " sequences, chunks of " + chunk + ", " + maxQueued + " places, " + kvBlocks + " blocks, "
                            + candidates
                            + " candidates]");
        }
    }
}
