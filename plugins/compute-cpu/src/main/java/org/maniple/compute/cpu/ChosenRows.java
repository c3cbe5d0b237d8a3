package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The weighted sum of some rows of a matrix. As in {@link WeightedRows}, every element is a chain of its own in the order of the rows.
 */
final class ChosenRows {

    private final long[] offsets;
    private final float[] weights;
    private int count;

    /** Room for rows. */
    ChosenRows(int most) {
        this.offsets = new long[most];
        this.weights = new float[most];
    }

    void clear() {
        count = 0;
    }

    /** Adds a row, by its offset in bytes. */
    void add(long offset, float weight) {
        offsets[count] = offset;
        weights[count] = weight;
        count++;
    }

    /**
     * Computes some elements of the sum.
     *
     * @param rows holds the rows
     * @param from the first element, as an offset in bytes from the beginning of each row
     * @param to where it is written
     * @param length how many elements
     */
    void sum(MemorySegment rows, long from, MemorySegment out, long to, int length) {
        int done = 0;
        for (; done + 2 * Lanes.L <= length; done += 2 * Lanes.L) {
            sumTwo(rows, offsets, weights, count, from + 4L * done, out, to + 4L * done);
        }
        for (; done < length; done++) {
            float sum = 0;
            for (int row = 0; row < count; row++) {
                sum = Math.fma(rows.get(JAVA_FLOAT_UNALIGNED, offsets[row] + from + 4L * done), weights[row], sum);
            }
            out.set(JAVA_FLOAT_UNALIGNED, to + 4L * done, sum);
        }
    }

    private static void sumTwo(MemorySegment rows, long[] offsets, float[] weights, int count, long from, MemorySegment out,
            long to) {
        FloatVector a = FloatVector.zero(Lanes.F);
        FloatVector b = a;
        for (int row = 0; row < count; row++) {
            FloatVector weight = FloatVector.broadcast(Lanes.F, weights[row]);
            long at = offsets[row] + from;
            a = FloatVector.fromMemorySegment(Lanes.F, rows, at, LITTLE_ENDIAN).fma(weight, a);
            b = FloatVector.fromMemorySegment(Lanes.F, rows, at + 4L * Lanes.L, LITTLE_ENDIAN).fma(weight, b);
        }
        a.intoMemorySegment(out, to, LITTLE_ENDIAN);
        b.intoMemorySegment(out, to + 4L * Lanes.L, LITTLE_ENDIAN);
    }
}
