package org.maniple.api.engine;

/**
 * What an engine's scheduler has done, of all groups of ranks together.
 *
 * @param preemptions how often a running request has lost its KV blocks to an earlier one, and been computed anew
 * @param prefixCacheQueries tokens of prompts that have been looked for in the prefix cache
 * @param prefixCacheHits those of them that were there, so that they need not be computed
 * @param waitingTokens tokens that have to be computed for the requests that wait for room, before they go on
 * @param refusedForRequests requests that were refused because too many waited ({@code max-num-queued-reqs})
 * @param refusedForTokens requests that were refused because too many tokens waited ({@code max-num-queued-tokens})
 * @param kvCacheUsage part of the KV blocks that requests hold, from 0 to 1
 */
public record EngineStatistics(long preemptions, long prefixCacheQueries, long prefixCacheHits, long waitingTokens,
        long refusedForRequests, long refusedForTokens, double kvCacheUsage) {

    /** Of an engine that knows nothing about it. */
    public static final EngineStatistics NONE = new EngineStatistics(0, 0, 0, 0, 0, 0, 0);
}
