package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.maniple.api.tensor.DType;

/**
 * Products of rows of weights of one type with rows of floats. Offsets are in bytes and need no alignment. The two kernels are the same
 * body for every vector width: what they hold in each of their accumulators follows from {@link Lanes#PARTS}.
 *
 * <p>Where C2 does not inline a method that takes or returns a vector, the vector becomes an object on the heap, at a tenth of the
 * speed. C2 always inlines the methods of the Vector API itself, but not ours, and stops inlining altogether in large methods. So
 * methods with vectors are small, call no method of ours with a vector, and write their loops out.
 */
interface WeightRows {

    /** Weight rows of one call of {@link #four}. */
    int ROWS_OF_FOUR = 4 / Lanes.PARTS;
    /** Weight rows of one call of {@link #tile}. */
    int ROWS_OF_TILE = Lanes.PARTS == 1 ? 2 : 1;
    /** Calls of {@link #tile} that fill all partial sums. */
    int TILE_PASSES = Lanes.PARTS == 4 ? 2 : 1;

    /** Bytes of a weight. */
    int bytes();

    /** One weight as a float. */
    float get(MemorySegment weights, long at);

    /**
     * Four vectors of partial sums for one row of floats: accumulator {@code i} belongs to part {@code i % PARTS} of weight row
     * {@code i / PARTS}, and the offsets of the weights include that of the part.
     *
     * @param count elements; a multiple of 16
     * @param lanes receives the partial sums, weight row by weight row
     */
    void four(MemorySegment w, long w0, long w1, long w2, long w3, MemorySegment x, long x0, int count, float[] lanes);

    /**
     * Two vectors of weights times four rows of floats. With one part, the weights are of two rows; otherwise they are two parts of one
     * row.
     *
     * @param count elements; a multiple of 16
     * @param lanes receives the partial sums: row of floats by row of floats, after all of the first weight row those of the second
     * @param at where in {@code lanes}
     */
    void tile(MemorySegment w, long w0, long w1, MemorySegment x, long x0, long x1, long x2, long x3, int count, float[] lanes,
            int at);

    /** Weights as floats. */
    void widen(MemorySegment w, long at, MemorySegment out, long to, int count);

    /** The elements that do not fill all partial sums, one after the other. */
    default float rest(MemorySegment w, long w0, MemorySegment x, long x0, int from, int to) {
        float sum = 0;
        for (int i = from; i < to; i++) {
            sum = Math.fma(x.get(JAVA_FLOAT_UNALIGNED, x0 + 4L * i), get(w, w0 + (long) i * bytes()), sum);
        }
        return sum;
    }

    /** The kernels for a type of weights, if there are any. */
    static Optional<WeightRows> of(DType type) {
        return switch (type) {
            case F32 -> Optional.of(new F32Rows());
            case BF16 -> Optional.of(new Bf16Rows());
            case F16 -> Optional.of(new F16Rows());
            default -> Optional.empty();
        };
    }
}
