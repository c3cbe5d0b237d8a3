package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;

/** Attention over a chunk of positions. All implementations give the same bits, but for tiles. For use by several threads, each with its own chunk. */
sealed interface Attention permits VectorAttention, NativeAttention {

    /** Whether a chunk may have heads that read different key-value heads. */
    default boolean severalKeyHeads() {
        return false;
    }

    /**
     * Adds what the rows of a chunk see of its positions to their sums, maxima and results.
     *
     * @param chunk with its runs found, and its pairs begun
     */
    void compute(AttendChunk chunk);

    /**
     * Joins the results of a later chunk with those of a chunk's pairs.
     *
     * @param later for each pair its greatest score, then for each its sum of weights, then for each its sums of values
     * @param at where that begins, in bytes
     */
    void join(AttendChunk chunk, MemorySegment later, long at);
}
