package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The order in which every sum is formed: {@value #COUNT} partial sums, of the elements with the same index modulo {@value #COUNT},
 * added along one fixed tree; elements after the last multiple of {@value #COUNT} are summed one after the other and added last. One vector
 * of 512 bits, two of 256 or four of 128 hold the partial sums, so that all of them give the same bits.
 *
 * <p>The width is a constant of the JVM, because C2 keeps vectors in registers only if their species is a constant.
 */
final class Lanes {

    /** Partial sums of a sum. */
    static final int COUNT = 16;
    /** What a thread needs for the sums of the largest tile; the rest keeps threads out of each other's cache lines. */
    static final int SCRATCH = 8 * COUNT + Leaves.SCRATCH + 2 * COUNT;

    /** Vectors of floats: as wide as the processor prefers, at most {@value #COUNT} lanes. */
    static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED.length() > COUNT
            ? FloatVector.SPECIES_512
            : FloatVector.SPECIES_PREFERRED;
    /** Elements of a vector. */
    static final int L = F.length();
    /** Bits of a vector. */
    static final int BITS = F.vectorBitSize();
    /** Vectors that hold the partial sums of one sum: 1, 2 or 4. */
    static final int PARTS = COUNT / L;
    /** As many ints. */
    static final VectorSpecies<Integer> I = IntVector.SPECIES_512.withShape(F.vectorShape());
    /** As many shorts, in half the bits. */
    static final VectorSpecies<Short> S = ShortVector.SPECIES_512.withShape(VectorShape.forBitSize(BITS / 2));

    private static final VectorShuffle<Float> BY_8 = VectorShuffle.iota(F, 8 % L, 1, true);
    private static final VectorShuffle<Float> BY_4 = VectorShuffle.iota(F, 4 % L, 1, true);
    private static final VectorShuffle<Float> BY_2 = VectorShuffle.iota(F, 2, 1, true);
    private static final VectorShuffle<Float> BY_1 = VectorShuffle.iota(F, 1, 1, true);

    private Lanes() {}

    /** The sum of the {@value #COUNT} partial sums that begin at an index. */
    static float fold(float[] lanes, int at) {
        FloatVector sum = FloatVector.fromArray(F, lanes, at);
        if (PARTS == 2) {
            sum = sum.add(FloatVector.fromArray(F, lanes, at + L));
        }
        if (PARTS == 4) {
            sum = sum.add(FloatVector.fromArray(F, lanes, at + 2 * L));
            sum = sum.add(FloatVector.fromArray(F, lanes, at + L).add(FloatVector.fromArray(F, lanes, at + 3 * L)));
        }
        if (L > 8) {
            sum = sum.add(sum.rearrange(BY_8));
        }
        if (L > 4) {
            sum = sum.add(sum.rearrange(BY_4));
        }
        sum = sum.add(sum.rearrange(BY_2));
        return sum.add(sum.rearrange(BY_1)).lane(0);
    }

    /** The sum of squares of floats. */
    static float sumOfSquares(MemorySegment x, long at, int count, float[] lanes) {
        int whole = count - count % COUNT;
        squares(x, at, whole, lanes);
        float sum = fold(lanes, 0);
        if (whole < count) {
            float rest = 0;
            for (int i = whole; i < count; i++) {
                float value = x.get(JAVA_FLOAT_UNALIGNED, at + 4L * i);
                rest = Math.fma(value, value, rest);
            }
            sum += rest;
        }
        return sum;
    }

    private static void squares(MemorySegment x, long at, int count, float[] lanes) {
        FloatVector a = FloatVector.zero(F);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        for (int i = 0; i < count; i += COUNT) {
            FloatVector v = FloatVector.fromMemorySegment(F, x, at + 4L * i, LITTLE_ENDIAN);
            a = v.fma(v, a);
            if (PARTS > 1) {
                v = FloatVector.fromMemorySegment(F, x, at + 4L * (i + L), LITTLE_ENDIAN);
                b = v.fma(v, b);
            }
            if (PARTS > 2) {
                v = FloatVector.fromMemorySegment(F, x, at + 4L * (i + 2 * L), LITTLE_ENDIAN);
                c = v.fma(v, c);
                v = FloatVector.fromMemorySegment(F, x, at + 4L * (i + 3 * L), LITTLE_ENDIAN);
                d = v.fma(v, d);
            }
        }
        a.intoArray(lanes, 0);
        if (PARTS > 1) {
            b.intoArray(lanes, L);
        }
        if (PARTS > 2) {
            c.intoArray(lanes, 2 * L);
            d.intoArray(lanes, 3 * L);
        }
    }

    /** The sum of floats; their number is a multiple of {@value #COUNT}. */
    static float sum(MemorySegment x, long at, int count, float[] lanes) {
        FloatVector a = FloatVector.zero(F);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        for (int i = 0; i < count; i += COUNT) {
            a = a.add(FloatVector.fromMemorySegment(F, x, at + 4L * i, LITTLE_ENDIAN));
            if (PARTS > 1) {
                b = b.add(FloatVector.fromMemorySegment(F, x, at + 4L * (i + L), LITTLE_ENDIAN));
            }
            if (PARTS > 2) {
                c = c.add(FloatVector.fromMemorySegment(F, x, at + 4L * (i + 2 * L), LITTLE_ENDIAN));
                d = d.add(FloatVector.fromMemorySegment(F, x, at + 4L * (i + 3 * L), LITTLE_ENDIAN));
            }
        }
        a.intoArray(lanes, 0);
        if (PARTS > 1) {
            b.intoArray(lanes, L);
        }
        if (PARTS > 2) {
            c.intoArray(lanes, 2 * L);
            d.intoArray(lanes, 3 * L);
        }
        return fold(lanes, 0);
    }

    /** The greatest of floats; their number is a multiple of {@value #COUNT}. */
    static float greatest(MemorySegment x, long at, int count, float[] lanes) {
        FloatVector greatest = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
        for (int i = 0; i < count; i += L) {
            greatest = greatest.max(FloatVector.fromMemorySegment(F, x, at + 4L * i, LITTLE_ENDIAN));
        }
        greatest.intoArray(lanes, 0);
        float result = lanes[0];
        for (int i = 1; i < L; i++) {
            result = Math.max(result, lanes[i]);
        }
        return result;
    }
}
