package org.maniple.kernel.plan;

import java.util.List;

/**
 * What can be said about a way of spreading a model.
 *
 * @param shares what each rank holds
 * @param homes groups of ranks with sequences of their own
 * @param kvTokensPerHome tokens that the KV cache of a home has room for; negative if the weights alone do not fit
 * @param wireBytes bytes that a rank sends for each token, added up over the stages
 * @param wireBytesBetweenNodes the part of these that goes from node to node
 * @param exchanges exchanges that a token waits for, added up over the stages
 * @param stepMicros estimated time of a step, with as many sequences as fit
 * @param sequences requests of the longest length that fit at the same time, at most as many as a step may have
 */
public record Figures(List<Share> shares, int homes, long kvTokensPerHome, long wireBytes, long wireBytesBetweenNodes,
        int exchanges, double stepMicros, double sequences) {

    /** Copies the list. */
    public Figures {
        shares = List.copyOf(shares);
    }

    /**
     * The rank with the most weights.
     *
     * @return its bytes, as it holds them
     */
    public long largestWeights() {
        return shares.stream().mapToLong(s -> s.weights().held()).max().orElse(0);
    }

    /**
     * The rank whose KV cache needs most.
     *
     * @return its bytes for each token
     */
    public long largestKvBytes() {
        return shares.stream().mapToLong(Share::kvBytesPerToken).max().orElse(0);
    }

    /**
     * Tokens that the KV cache of the whole unit has room for.
     *
     * @return at least 0
     */
    public long kvTokens() {
        return Math.max(0, kvTokensPerHome) * homes;
    }
}
