package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * Adds rows, each times a weight, to a row: the second half of attention. Every element is a chain of its own in the order of the rows,
 * so vectors of any width, and single elements, give the same bits.
 */
final class WeightedRows {

    private WeightedRows() {}

    /** Zeros to begin with. */
    static void clear(MemorySegment out, long to, int length) {
        for (int i = 0; i < length; i++) {
            out.set(JAVA_FLOAT_UNALIGNED, to + 4L * i, 0f);
        }
    }

    /**
     * Computes {@code out += sum of weights[row] · rows[row]}. Offsets and stride are in bytes.
     *
     * @param count rows
     * @param length elements of a row
     */
    static void add(MemorySegment rows, long at, long stride, int count, MemorySegment weights, long weightAt, MemorySegment out,
            long to,
            int length) {
        int done = 0;
        for (; done + 4 * Lanes.L <= length; done += 4 * Lanes.L) {
            addFour(rows, at + 4L * done, stride, count, weights, weightAt, out, to + 4L * done);
        }
        for (; done + Lanes.L <= length; done += Lanes.L) {
            addOne(rows, at + 4L * done, stride, count, weights, weightAt, out, to + 4L * done);
        }
        for (; done < length; done++) {
            float sum = out.get(JAVA_FLOAT_UNALIGNED, to + 4L * done);
            for (int row = 0; row < count; row++) {
                float weight = weights.get(JAVA_FLOAT_UNALIGNED, weightAt + 4L * row);
                sum = Math.fma(rows.get(JAVA_FLOAT_UNALIGNED, at + row * stride + 4L * done), weight, sum);
            }
            out.set(JAVA_FLOAT_UNALIGNED, to + 4L * done, sum);
        }
    }

    private static void addFour(MemorySegment rows, long at, long stride, int count, MemorySegment weights, long weightAt,
            MemorySegment out, long to) {
        long step = 4L * Lanes.L;
        FloatVector a = FloatVector.fromMemorySegment(Lanes.F, out, to, LITTLE_ENDIAN);
        FloatVector b = FloatVector.fromMemorySegment(Lanes.F, out, to + step, LITTLE_ENDIAN);
        FloatVector c = FloatVector.fromMemorySegment(Lanes.F, out, to + 2 * step, LITTLE_ENDIAN);
        FloatVector d = FloatVector.fromMemorySegment(Lanes.F, out, to + 3 * step, LITTLE_ENDIAN);
        for (int row = 0; row < count; row++) {
            FloatVector weight = FloatVector.broadcast(Lanes.F, weights.get(JAVA_FLOAT_UNALIGNED, weightAt + 4L * row));
            long from = at + row * stride;
            a = FloatVector.fromMemorySegment(Lanes.F, rows, from, LITTLE_ENDIAN).fma(weight, a);
            b = FloatVector.fromMemorySegment(Lanes.F, rows, from + step, LITTLE_ENDIAN).fma(weight, b);
            c = FloatVector.fromMemorySegment(Lanes.F, rows, from + 2 * step, LITTLE_ENDIAN).fma(weight, c);
            d = FloatVector.fromMemorySegment(Lanes.F, rows, from + 3 * step, LITTLE_ENDIAN).fma(weight, d);
        }
        a.intoMemorySegment(out, to, LITTLE_ENDIAN);
        b.intoMemorySegment(out, to + step, LITTLE_ENDIAN);
        c.intoMemorySegment(out, to + 2 * step, LITTLE_ENDIAN);
        d.intoMemorySegment(out, to + 3 * step, LITTLE_ENDIAN);
    }

    private static void addOne(MemorySegment rows, long at, long stride, int count, MemorySegment weights, long weightAt,
            MemorySegment out,
            long to) {
        FloatVector sum = FloatVector.fromMemorySegment(Lanes.F, out, to, LITTLE_ENDIAN);
        for (int row = 0; row < count; row++) {
            FloatVector weight = FloatVector.broadcast(Lanes.F, weights.get(JAVA_FLOAT_UNALIGNED, weightAt + 4L * row));
            sum = FloatVector.fromMemorySegment(Lanes.F, rows, at + row * stride, LITTLE_ENDIAN).fma(weight, sum);
        }
        sum.intoMemorySegment(out, to, LITTLE_ENDIAN);
    }
}
