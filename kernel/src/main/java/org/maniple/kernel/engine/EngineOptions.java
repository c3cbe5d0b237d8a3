package org.maniple.kernel.engine;

import java.time.Duration;
import java.util.Comparator;
import java.util.OptionalLong;
import org.maniple.api.engine.ScheduledRequest;

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
 * @param scheduling how requests share the steps
 * @param speculation whether and how outputs are guessed ({@code speculative-config})
 */
public record EngineOptions(int maxBatchedTokens, int maxSequences, int chunk, int maxQueued, int kvBlocks, OptionalLong seed,
        int candidates, Scheduling scheduling, Speculation speculation) {

    /**
     * How requests share the steps.
     *
     * @param order which requests go first, if not those that came first
     * @param usesPriority whether the order depends on the priorities of requests
     * @param maxQueuedTokens tokens that may have to be computed for requests that wait for room ({@code max-num-queued-tokens})
     * @param prefixCaching whether requests that begin alike share KV blocks ({@code enable-prefix-caching})
     * @param stretch how many times as long as without prompts a step may take while streams run ({@code max-step-stretch}); 0: any time
     * @param smooth what a step may take where a prompt would take half as long again as alone otherwise ({@code smooth-step-time})
     */
    public record Scheduling(Comparator<ScheduledRequest> order, boolean usesPriority, long maxQueuedTokens,
            boolean prefixCaching, double stretch, Duration smooth) {

        /** What is done unless something else is asked for. */
        public static final Scheduling DEFAULT = new Scheduling((_, _) -> 0, false, Long.MAX_VALUE, true, 2.5,
                Duration.ofMillis(50));
    }

    /**
     * Options with the usual scheduling.
     *
     * @param maxBatchedTokens as above
     * @param maxSequences as above
     * @param chunk as above
     * @param maxQueued as above
     * @param kvBlocks as above
     * @param seed as above
     * @param candidates as above
     */
    public EngineOptions(int maxBatchedTokens, int maxSequences, int chunk, int maxQueued, int kvBlocks, OptionalLong seed,
            int candidates) {
        this(maxBatchedTokens, maxSequences, chunk, maxQueued, kvBlocks, seed, candidates, Scheduling.DEFAULT);
    }

    /**
     * Options of an engine that guesses nothing.
     *
     * @param maxBatchedTokens as above
     * @param maxSequences as above
     * @param chunk as above
     * @param maxQueued as above
     * @param kvBlocks as above
     * @param seed as above
     * @param candidates as above
     * @param scheduling as above
     */
    public EngineOptions(int maxBatchedTokens, int maxSequences, int chunk, int maxQueued, int kvBlocks, OptionalLong seed,
            int candidates, Scheduling scheduling) {
        this(maxBatchedTokens, maxSequences, chunk, maxQueued, kvBlocks, seed, candidates, scheduling, Speculation.OFF);
    }

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
