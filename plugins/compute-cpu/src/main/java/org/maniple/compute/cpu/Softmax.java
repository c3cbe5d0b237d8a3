package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The softmax over positions in chunks (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018). Chunks begin at
 * multiples of {@value #CHUNK} positions, each is weighed by itself, and chunks are joined in their order: a row's bits depend neither on
 * what else is computed, nor on who computes which chunk. For use by one thread.
 */
final class Softmax {

    /** Positions of a chunk; a multiple of the partial sums. */
    static final int CHUNK = 256;
    /** Bytes from a head's scores of a chunk to those of the next head. */
    static final long STRIDE = 4L * CHUNK;

    private final MemorySegment single = Arena.ofAuto().allocate(64, 64);
    private final float[] lanes;
    private float greatest;
    private float sum;

    /** With a thread's partial sums. */
    Softmax(float[] lanes) {
        this.lanes = lanes;
    }

    float[] lanes() {
        return lanes;
    }

    /** The greatest score of the chunk that was weighed last. */
    float greatest() {
        return greatest;
    }

    /** The sum of its weights. */
    float sum() {
        return sum;
    }

    /**
     * Turns a chunk's scores into weights, relative to the greatest of them. What lies beside the positions that are seen, up to whole
     * groups of partial sums, becomes 0.
     *
     * @param scores begin at the first position of the chunk, at {@code at}
     * @param from the first position that is seen, counted from the start of the chunk
     * @param to the position after the last
     * @param scale factor on the scores
     */
    void weigh(MemorySegment scores, long at, int from, int to, float scale) {
        int first = from - from % Lanes.COUNT;
        int end = Math.ceilDiv(to, Lanes.COUNT) * Lanes.COUNT;
        long begin = at + 4L * first;
        // What is copied changes no maximum; its weights are cleared afterwards.
        fill(scores, at, first, from, scores.get(JAVA_FLOAT_UNALIGNED, at + 4L * from));
        fill(scores, at, to, end, scores.get(JAVA_FLOAT_UNALIGNED, at + 4L * (to - 1)));
        Functions.scale(scores, begin, scale, scores, begin, end - first);
        greatest = Lanes.greatest(scores, begin, end - first, lanes);
        Functions.subtract(scores, begin, greatest, scores, begin, end - first);
        Functions.exp(scores, begin, scores, begin, end - first);
        fill(scores, at, first, from, 0);
        fill(scores, at, to, end, 0);
        sum = Lanes.sum(scores, begin, end - first, lanes);
    }

    private static void fill(MemorySegment scores, long at, int from, int to, float value) {
        for (int i = from; i < to; i++) {
            scores.set(JAVA_FLOAT_UNALIGNED, at + 4L * i, value);
        }
    }

    /**
     * Joins what a chunk gave with what came before it.
     *
     * @param state holds the greatest score so far at {@code greatestAt}, and at {@code sumAt} the sum of weights relative to it
     * @param out sums of values so far
     * @param most the chunk's greatest score
     * @param added the sum of its weights
     * @param part its sums of values
     */
    void join(MemorySegment state, long greatestAt, long sumAt, MemorySegment out, long to, float most, float added,
            MemorySegment part, long partAt, int length) {
        float before = state.get(JAVA_FLOAT_UNALIGNED, greatestAt);
        float now = Math.max(most, before);
        float kept = exp(before - now);
        float taken = exp(most - now);
        Functions.join(out, to, kept, part, partAt, taken, length);
        state.set(JAVA_FLOAT_UNALIGNED, sumAt, Math.fma(added, taken, state.get(JAVA_FLOAT_UNALIGNED, sumAt) * kept));
        state.set(JAVA_FLOAT_UNALIGNED, greatestAt, now);
    }

    /** The exponential of one number, by the instructions that compute those of the weights. */
    private float exp(float value) {
        single.set(JAVA_FLOAT_UNALIGNED, 0, value);
        Functions.exp(single, 0, single, 0, Lanes.L);
        return single.get(JAVA_FLOAT_UNALIGNED, 0);
    }
}
