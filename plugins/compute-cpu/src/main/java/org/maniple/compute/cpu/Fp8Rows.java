package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * FP8 E4M3 weights with a factor for each block. Exponent and mantissa become those of a float of a {@code 2^-120}th of the value, which
 * for subnormal weights is subnormal too; so one multiplication makes every value. NaN (all ones but the sign) counts as 480: there is no
 * room for a test in the loops, and a checkpoint has none.
 *
 * <p>For what methods with vectors look like, see {@link WeightRows}; the accumulators are as there.
 */
final class Fp8Rows {

    private static final int MASK = 0x87f00000;
    private static final float UNIT = 0x1p120f;
    private static final long X1 = 4L * (1 % Lanes.PARTS) * Lanes.L;
    private static final long X2 = 4L * (2 % Lanes.PARTS) * Lanes.L;
    private static final long X3 = 4L * (3 % Lanes.PARTS) * Lanes.L;
    private static final int SECOND = Lanes.PARTS == 1 ? 4 * Lanes.COUNT : Lanes.L;

    /** As many bytes as lanes, or twice as many, since there are no vectors of 32 bits. */
    private static final VectorSpecies<Byte> B = ByteVector.SPECIES_512.withShape(VectorShape.forBitSize(Math.max(64,
            Lanes.BITS / 4)));
    /** Which part of the bytes odd accumulators take, and how far before their own the bytes then begin. */
    private static final int ODD = Lanes.PARTS == 4 ? 1 : 0;
    private static final int BACK = ODD * Lanes.L;

    private Fp8Rows() {}

    /** One weight as a float, without its factor. */
    static float get(MemorySegment weights, long at) {
        return Float.intBitsToFloat(weights.get(JAVA_BYTE, at) << 20 & MASK) * UNIT;
    }

    /** Products of some elements, one after the other, without a factor. */
    static float rest(MemorySegment w, long w0, MemorySegment x, long x0, int from, int to) {
        float sum = 0;
        for (int i = from; i < to; i++) {
            sum = Math.fma(x.get(JAVA_FLOAT_UNALIGNED, x0 + 4L * i), get(w, w0 + i), sum);
        }
        return sum;
    }

    /** Weights times a factor as floats. */
    static void widen(MemorySegment w, long at, float factor, MemorySegment out, long to, int count) {
        int done = 0;
        for (; done + B.length() <= count; done += Lanes.L) {
            ((IntVector) ByteVector.fromMemorySegment(B, w, at + done, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.B2I, Lanes.I, 0)).lanewise(VectorOperators.LSHL, 20).and(MASK)
                    .reinterpretAsFloats().mul(UNIT).mul(factor).intoMemorySegment(out, to + 4L * done, LITTLE_ENDIAN);
        }
        for (; done < count; done++) {
            out.set(JAVA_FLOAT_UNALIGNED, to + 4L * done, get(w, at + done) * factor);
        }
    }

    /**
     * Four vectors of partial sums for one row of floats.
     *
     * @param f0 where the factors of the first accumulator's row begin
     * @param lanes receives the partial sums, weight row by weight row
     */
    static void four(MemorySegment w, long w0, long w1, long w2, long w3, MemorySegment factors, long f0, long f1, long f2,
            long f3, MemorySegment x, long x0, Segments segments, int leaf, float[] lanes) {
        FloatVector a = FloatVector.zero(Lanes.F);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int last = segments.ofLeaf()[leaf + 1];
        for (int s = segments.ofLeaf()[leaf]; s < last; s++) {
            FloatVector e = FloatVector.zero(Lanes.F);
            FloatVector f = e;
            FloatVector g = e;
            FloatVector h = e;
            int end = segments.wholes()[s];
            for (int i = segments.starts()[s]; i < end; i += Lanes.COUNT) {
                long at = x0 + 4L * i;
                FloatVector v = ((IntVector) ByteVector.fromMemorySegment(B, w, w0 + i, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.B2I, Lanes.I, 0)).lanewise(VectorOperators.LSHL, 20).and(MASK)
                        .reinterpretAsFloats().mul(UNIT);
                e = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, at, LITTLE_ENDIAN), e);
                v = ((IntVector) ByteVector.fromMemorySegment(B, w, w1 + i - BACK, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.B2I, Lanes.I, ODD)).lanewise(VectorOperators.LSHL, 20).and(MASK)
                        .reinterpretAsFloats().mul(UNIT);
                f = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, at + X1, LITTLE_ENDIAN), f);
                v = ((IntVector) ByteVector.fromMemorySegment(B, w, w2 + i, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.B2I, Lanes.I, 0)).lanewise(VectorOperators.LSHL, 20).and(MASK)
                        .reinterpretAsFloats().mul(UNIT);
                g = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, at + X2, LITTLE_ENDIAN), g);
                v = ((IntVector) ByteVector.fromMemorySegment(B, w, w3 + i - BACK, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.B2I, Lanes.I, ODD)).lanewise(VectorOperators.LSHL, 20).and(MASK)
                        .reinterpretAsFloats().mul(UNIT);
                h = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, at + X3, LITTLE_ENDIAN), h);
            }
            long block = 4L * segments.blocks()[s];
            a = e.fma(FloatVector.broadcast(Lanes.F, factors.get(JAVA_FLOAT_UNALIGNED, f0 + block)), a);
            b = f.fma(FloatVector.broadcast(Lanes.F, factors.get(JAVA_FLOAT_UNALIGNED, f1 + block)), b);
            c = g.fma(FloatVector.broadcast(Lanes.F, factors.get(JAVA_FLOAT_UNALIGNED, f2 + block)), c);
            d = h.fma(FloatVector.broadcast(Lanes.F, factors.get(JAVA_FLOAT_UNALIGNED, f3 + block)), d);
        }
        a.intoArray(lanes, 0);
        b.intoArray(lanes, Lanes.L);
        c.intoArray(lanes, 2 * Lanes.L);
        d.intoArray(lanes, 3 * Lanes.L);
    }

    /**
     * Two vectors of weights times four rows of floats.
     *
     * @param f0 where the factors of the first vector's row begin
     * @param lanes receives the partial sums: row of floats by row of floats, after all of the first weight row those of the second
     * @param at where in {@code lanes}
     */
    static void tile(MemorySegment w, long w0, long w1, MemorySegment factors, long f0, long f1, MemorySegment x, long x0, long x1,
            long x2, long x3, Segments segments, int leaf, float[] lanes, int at) {
        FloatVector a0 = FloatVector.zero(Lanes.F);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        int last = segments.ofLeaf()[leaf + 1];
        for (int s = segments.ofLeaf()[leaf]; s < last; s++) {
            FloatVector c0 = FloatVector.zero(Lanes.F);
            FloatVector c1 = c0;
            FloatVector c2 = c0;
            FloatVector c3 = c0;
            FloatVector d0 = c0;
            FloatVector d1 = c0;
            FloatVector d2 = c0;
            FloatVector d3 = c0;
            int end = segments.wholes()[s];
            for (int i = segments.starts()[s]; i < end; i += Lanes.COUNT) {
                FloatVector v = ((IntVector) ByteVector.fromMemorySegment(B, w, w0 + i, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.B2I, Lanes.I, 0)).lanewise(VectorOperators.LSHL, 20).and(MASK)
                        .reinterpretAsFloats().mul(UNIT);
                c0 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x0 + 4L * i, LITTLE_ENDIAN), c0);
                c1 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x1 + 4L * i, LITTLE_ENDIAN), c1);
                c2 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x2 + 4L * i, LITTLE_ENDIAN), c2);
                c3 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x3 + 4L * i, LITTLE_ENDIAN), c3);
                v = ((IntVector) ByteVector.fromMemorySegment(B, w, w1 + i - BACK, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.B2I, Lanes.I, ODD)).lanewise(VectorOperators.LSHL, 20).and(MASK)
                        .reinterpretAsFloats().mul(UNIT);
                d0 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x0 + 4L * i + X1, LITTLE_ENDIAN), d0);
                d1 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x1 + 4L * i + X1, LITTLE_ENDIAN), d1);
                d2 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x2 + 4L * i + X1, LITTLE_ENDIAN), d2);
                d3 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x3 + 4L * i + X1, LITTLE_ENDIAN), d3);
            }
            long block = 4L * segments.blocks()[s];
            FloatVector factor = FloatVector.broadcast(Lanes.F, factors.get(JAVA_FLOAT_UNALIGNED, f0 + block));
            a0 = c0.fma(factor, a0);
            a1 = c1.fma(factor, a1);
            a2 = c2.fma(factor, a2);
            a3 = c3.fma(factor, a3);
            factor = FloatVector.broadcast(Lanes.F, factors.get(JAVA_FLOAT_UNALIGNED, f1 + block));
            b0 = d0.fma(factor, b0);
            b1 = d1.fma(factor, b1);
            b2 = d2.fma(factor, b2);
            b3 = d3.fma(factor, b3);
        }
        a0.intoArray(lanes, at);
        a1.intoArray(lanes, at + Lanes.COUNT);
        a2.intoArray(lanes, at + 2 * Lanes.COUNT);
        a3.intoArray(lanes, at + 3 * Lanes.COUNT);
        b0.intoArray(lanes, at + SECOND);
        b1.intoArray(lanes, at + SECOND + Lanes.COUNT);
        b2.intoArray(lanes, at + SECOND + 2 * Lanes.COUNT);
        b3.intoArray(lanes, at + SECOND + 3 * Lanes.COUNT);
    }
}
