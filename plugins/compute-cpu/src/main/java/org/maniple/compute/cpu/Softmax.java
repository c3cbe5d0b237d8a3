package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The running softmax of some heads (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018): what a thread needs while
 * it takes the positions that a row sees in chunks.
 */
final class Softmax {

    /** Positions of a chunk; a multiple of the partial sums. */
    static final int CHUNK = 256;
    /** Bytes from a head's scores of a chunk to those of the next head. */
    static final long STRIDE = 4L * CHUNK;

    private final MemorySegment scores;
    private final MemorySegment single;
    private final float[] greatest;
    private final float[] sums;
    private final boolean[] begun;
    private final float[] lanes;

    /** For some heads at once, with a thread's partial sums. */
    Softmax(int heads, float[] lanes) {
        Arena arena = Arena.ofAuto();
        this.scores = arena.allocate(Math.max(64, STRIDE * heads), 64);
        this.single = arena.allocate(64, 64);
        this.greatest = new float[heads];
        this.sums = new float[heads];
        this.begun = new boolean[heads];
        this.lanes = lanes;
    }

    /** A chunk's scores, head by head; after {@link #weigh} its weights. */
    MemorySegment scores() {
        return scores;
    }

    float[] lanes() {
        return lanes;
    }

    /** Begins a row without scores. */
    void begin(int head) {
        begun[head] = false;
    }

    /** Begins a row with a score that nothing is gathered for. */
    void begin(int head, float sink) {
        begun[head] = true;
        greatest[head] = sink;
        sums[head] = 1;
    }

    /**
     * Turns a chunk's scores of a head into weights, and shrinks what was gathered before if a greater score has come.
     *
     * @param count scores
     * @param scale factor on them
     * @param gathered holds what was gathered with the weights of the chunks before
     */
    void weigh(int head, int count, float scale, MemorySegment gathered, long result, int length) {
        long at = STRIDE * head;
        int padded = Math.ceilDiv(count, Lanes.COUNT) * Lanes.COUNT;
        // Padding with the last score changes no maximum; its weights are cleared afterwards.
        float last = scores.get(JAVA_FLOAT_UNALIGNED, at + 4L * (count - 1));
        for (int i = count; i < padded; i++) {
            scores.set(JAVA_FLOAT_UNALIGNED, at + 4L * i, last);
        }
        Functions.scale(scores, at, scale, scores, at, padded);
        float most = Lanes.greatest(scores, at, padded, lanes);
        if (begun[head]) {
            most = Math.max(most, greatest[head]);
        }
        Functions.subtract(scores, at, most, scores, at, padded);
        Functions.exp(scores, at, scores, at, padded);
        for (int i = count; i < padded; i++) {
            scores.set(JAVA_FLOAT_UNALIGNED, at + 4L * i, 0f);
        }
        float sum = Lanes.sum(scores, at, padded, lanes);
        if (begun[head]) {
            float factor = exp(greatest[head] - most);
            sum = Math.fma(sums[head], factor, sum);
            for (int i = 0; i < length; i++) {
                gathered.set(JAVA_FLOAT_UNALIGNED, result + 4L * i, gathered.get(JAVA_FLOAT_UNALIGNED, result + 4L * i) * factor);
            }
        }
        begun[head] = true;
        greatest[head] = most;
        sums[head] = sum;
    }

    /** The exponential of one number, by the instructions that compute those of the weights. */
    private float exp(float value) {
        single.set(JAVA_FLOAT_UNALIGNED, 0, value);
        Functions.exp(single, 0, single, 0, Lanes.L);
        return single.get(JAVA_FLOAT_UNALIGNED, 0);
    }

    /** Divides what was gathered by the sum of the weights. */
    void divide(int head, MemorySegment gathered, long result, int length) {
        for (int i = 0; i < length; i++) {
            gathered.set(JAVA_FLOAT_UNALIGNED, result + 4L * i,
                    gathered.get(JAVA_FLOAT_UNALIGNED, result + 4L * i) / sums[head]);
        }
    }
}
