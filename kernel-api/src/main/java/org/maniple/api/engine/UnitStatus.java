package org.maniple.api.engine;

import java.util.List;
import java.util.Map;

/**
 * How a unit is.
 *
 * @param ready whether every rank is ready and requests are taken
 * @param reasons why it is not ready; for example {@code rank 2 on node-b is gone: connection closed}
 * @param epoch how often the unit has been built
 * @param ranks its ranks, in order
 * @param links its links as rank 0 and the others report them
 * @param configuration the effective configuration, by key, as text; secrets are left out
 * @param runningRequests requests that take part in steps
 * @param waitingRequests requests that wait for room
 * @param kvBlocks KV blocks in all
 * @param freeKvBlocks KV blocks that no request holds
 * @param homes the groups of ranks that have sequences of their own, in order; one without data parallelism, none if nobody knows
 */
public record UnitStatus(
        boolean ready,
        List<String> reasons,
        long epoch,
        List<RankStatus> ranks,
        List<LinkStatus> links,
        Map<String, String> configuration,
        int runningRequests,
        int waitingRequests,
        int kvBlocks,
        int freeKvBlocks,
        List<HomeStatus> homes) {

    /** Copies the lists. */
    public UnitStatus {
        reasons = List.copyOf(reasons);
        ranks = List.copyOf(ranks);
        links = List.copyOf(links);
        homes = List.copyOf(homes);
    }

    /**
     * Requests that wait for a home, if those that may run in any are dealt out evenly: so the numbers of all homes add up to
     * {@link #waitingRequests}.
     *
     * @param home one of the homes
     * @return how many
     */
    public int waitingFor(HomeStatus home) {
        int pinned = homes.stream().mapToInt(HomeStatus::waitingRequests).sum();
        int shared = Math.max(0, waitingRequests - pinned);
        int place = homes.indexOf(home);
        return home.waitingRequests() + shared / homes.size() + (place < shared % homes.size() ? 1 : 0);
    }

    /**
     * A group of ranks that has sequences and KV blocks of its own.
     *
     * @param home its number
     * @param runningRequests requests of this group that take part in steps
     * @param waitingRequests requests that wait for room and may run in this group only; others may run in any
     * @param admittedRequests requests that have begun here so far
     * @param kvBlocks KV blocks that each of its ranks has
     * @param freeKvBlocks KV blocks that no request holds
     * @param preemptions how often a running request has lost its KV blocks to an earlier one
     * @param prefixCacheQueries tokens of prompts that have been looked for in the prefix cache
     * @param prefixCacheHits those of them that were there
     */
    public record HomeStatus(int home, int runningRequests, int waitingRequests, long admittedRequests, int kvBlocks,
            int freeKvBlocks, long preemptions, long prefixCacheQueries, long prefixCacheHits) {

        /**
         * A group that has neither preempted requests nor looked for prompts.
         *
         * @param home its number
         * @param runningRequests as above
         * @param waitingRequests as above
         * @param admittedRequests as above
         * @param kvBlocks as above
         * @param freeKvBlocks as above
         */
        public HomeStatus(int home, int runningRequests, int waitingRequests, long admittedRequests, int kvBlocks,
                int freeKvBlocks) {
            this(home, runningRequests, waitingRequests, admittedRequests, kvBlocks, freeKvBlocks, 0, 0, 0);
        }
    }

    /**
     * A rank.
     *
     * @param rank its number
     * @param host where it runs
     * @param processId its process
     * @param coordinates where it stands on the mesh, by dimension, outermost first
     * @param state {@code ready}, {@code loading}, {@code missing}, {@code gone}
     * @param weightBytes bytes of weights that it holds
     * @param dispatchedBytes bytes of tokens that its all-to-all back end has sent to experts on other ranks so far; 0 where collectives gather tokens
     * @param combinedBytes bytes of results that its all-to-all back end has sent to other ranks so far; 0 likewise
     * @param kvBytes the size of its KV cache, which takes room only as it is used
     * @param residentBytes what its process has in memory, with the parts of the model's files that it has read where they are mapped; 0 if nobody
     *     knows
     * @param times where the time of its steps went
     */
    public record RankStatus(int rank, String host, long processId, Map<String, Integer> coordinates, String state,
            long weightBytes, long dispatchedBytes, long combinedBytes, long kvBytes, long residentBytes, StepTimes times) {

        /**
         * A rank of which no more is known.
         *
         * @param rank its number
         * @param host where it runs
         * @param processId its process
         * @param coordinates where it stands on the mesh
         * @param state as above
         * @param weightBytes bytes of weights that it holds
         */
        public RankStatus(int rank, String host, long processId, Map<String, Integer> coordinates, String state,
                long weightBytes) {
            this(rank, host, processId, coordinates, state, weightBytes, 0, 0, 0, 0, StepTimes.NONE);
        }
    }

    /**
     * Where the time of a rank's steps went so far. What is between steps is in none of them.
     *
     * @param steps how many it has computed
     * @param computeNanos computing
     * @param communicationNanos exchanging data with other ranks, without the time in which nothing came or went
     * @param waitingNanos waiting in an exchange while nothing came or went: for ranks that were behind, or for the way
     * @param halvedSteps how many of the steps were computed in two halves, of which one computes while the other one exchanges data
     */
    public record StepTimes(long steps, long computeNanos, long communicationNanos, long waitingNanos, long halvedSteps) {
        /** No step. */
        public static final StepTimes NONE = new StepTimes(0, 0, 0, 0);

        /**
         * Of steps that were all computed at once.
         *
         * @param steps as above
         * @param computeNanos as above
         * @param communicationNanos as above
         * @param waitingNanos as above
         */
        public StepTimes(long steps, long computeNanos, long communicationNanos, long waitingNanos) {
            this(steps, computeNanos, communicationNanos, waitingNanos, 0);
        }
    }

    /**
     * A link.
     *
     * @param from a rank
     * @param to another rank
     * @param path over what, for example {@code tcp eth0 10.0.0.2}
     * @param sentBytes from the first to the second so far
     */
    public record LinkStatus(int from, int to, String path, long sentBytes) {}
}
