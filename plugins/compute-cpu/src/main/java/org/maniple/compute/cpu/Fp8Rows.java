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
 * FP8 E4M3 weights with factors: a weight is the float nearest to its stored value times its factor. NaN (all ones but the sign) counts as
 * 480: there is no room for a test in the loops, and a checkpoint has none.
 *
 * <p>A byte's exponent and mantissa are moved to where a float has them, below an exponent that makes {@code v}, a 256th of the value. Where
 * the byte's exponent is 0 the value is subnormal and {@code v} is {@code 2^-15 (1 + m/8)} instead of {@code 2^-14 (m/8)}, which is
 * {@code 2v - 2^-14}; of all other values {@code 2v - 2^-14} is not less than {@code v}, so the lesser one is right for all. (To leave the
 * upper exponent bits zero and multiply by a power of two takes fewer instructions, but subnormal floats cost a hundred cycles each on some
 * processors.)
 *
 * <p>For what methods with vectors look like, see {@link WeightRows}.
 */
final class Fp8Rows {

    private static final int SIGN = 0x80000000;
    private static final int SIZE = 0x07f00000;
    private static final int EXPONENT = 112 << 23;
    private static final float LEAST = 0x1p-14f;
    private static final float UNIT = 256;
    private static final long X1 = 4L * (1 % Lanes.PARTS) * Lanes.L;
    private static final int SECOND = Lanes.PARTS == 1 ? 4 * Lanes.COUNT : Lanes.L;

    /** As many bytes as lanes, or twice as many, since there are no vectors of 32 bits. */
    private static final VectorSpecies<Byte> B = ByteVector.SPECIES_512.withShape(VectorShape.forBitSize(Math.max(64,
            Lanes.BITS / 4)));
    /** Which part of its bytes the second of two accumulators takes, and how far before them the bytes then begin. */
    private static final int ODD = Lanes.PARTS == 4 ? 1 : 0;
    private static final long BACK = (long) ODD * Lanes.L;

    private Fp8Rows() {}

    /** One stored value. */
    static float get(MemorySegment weights, long at) {
        int bits = weights.get(JAVA_BYTE, at) << 20;
        return Float.intBitsToFloat(bits & (SIGN | SIZE)) * 0x1p120f;
    }

    /** Weights of one factor as floats. */
    static void widen(MemorySegment w, long at, float factor, MemorySegment out, long to, int count) {
        int done = 0;
        FloatVector unit = FloatVector.broadcast(Lanes.F, factor * UNIT);
        for (; done + B.length() <= count; done += Lanes.L) {
            IntVector s = ((IntVector) ByteVector.fromMemorySegment(B, w, at + done, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.B2I, Lanes.I, 0)).lanewise(VectorOperators.LSHL, 20);
            IntVector t = s.and(SIZE).or(EXPONENT);
            t.min(t.reinterpretAsFloats().fma(2, -LEAST).reinterpretAsInts()).or(s.and(SIGN)).reinterpretAsFloats().mul(unit)
                    .intoMemorySegment(out, to + 4L * done, LITTLE_ENDIAN);
        }
        for (; done < count; done++) {
            out.set(JAVA_FLOAT_UNALIGNED, to + 4L * done, get(w, at + done) * factor);
        }
    }

    /**
     * Weights with their factors as floats.
     *
     * @param f where the factors of the row begin
     * @param ofGroup for each group of {@value Lanes#COUNT} weights the block whose factor they have
     */
    static void widen(MemorySegment w, long at, MemorySegment factors, long f, int[] ofGroup, MemorySegment out, long to) {
        for (int group = 0; group < ofGroup.length; group++) {
            FloatVector unit = FloatVector.broadcast(Lanes.F, factors.get(JAVA_FLOAT_UNALIGNED, f + 4L * ofGroup[group]) * UNIT);
            for (int part = 0; part < Lanes.PARTS; part++) {
                int i = Lanes.COUNT * group + Lanes.L * part;
                IntVector s = ((IntVector) ByteVector.fromMemorySegment(B, w, at + i - part % 2 * BACK, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.B2I, Lanes.I, part % 2 * ODD)).lanewise(VectorOperators.LSHL, 20);
                IntVector t = s.and(SIZE).or(EXPONENT);
                t.min(t.reinterpretAsFloats().fma(2, -LEAST).reinterpretAsInts()).or(s.and(SIGN)).reinterpretAsFloats().mul(unit)
                        .intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
            }
        }
    }

    /**
     * Two vectors of weights times one row of floats. With one part, the weights are of two rows; otherwise they are two parts of one
     * row, and the offsets include that of the part.
     *
     * @param f0 where the factors of the first vector's row begin
     * @param ofGroup for each group of {@value Lanes#COUNT} elements the block whose factor they have
     * @param from the first group
     * @param to after the last group
     * @param lanes receives the partial sums
     * @param at where in {@code lanes}
     */
    static void two(MemorySegment w, long w0, long w1, MemorySegment factors, long f0, long f1, MemorySegment x, long x0,
            int[] ofGroup, int from, int to, float[] lanes, int at) {
        FloatVector a = FloatVector.zero(Lanes.F);
        FloatVector b = a;
        for (int group = from; group < to; group++) {
            long i = (long) Lanes.COUNT * group;
            long block = 4L * ofGroup[group];
            IntVector s = ((IntVector) ByteVector.fromMemorySegment(B, w, w0 + i, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.B2I, Lanes.I, 0)).lanewise(VectorOperators.LSHL, 20);
            IntVector t = s.and(SIZE).or(EXPONENT);
            a = t.min(t.reinterpretAsFloats().fma(2, -LEAST).reinterpretAsInts()).or(s.and(SIGN)).reinterpretAsFloats()
                    .mul(factors.get(JAVA_FLOAT_UNALIGNED, f0 + block) * UNIT)
                    .fma(FloatVector.fromMemorySegment(Lanes.F, x, x0 + 4 * i, LITTLE_ENDIAN), a);
            s = ((IntVector) ByteVector.fromMemorySegment(B, w, w1 + i - BACK, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.B2I, Lanes.I, ODD)).lanewise(VectorOperators.LSHL, 20);
            t = s.and(SIZE).or(EXPONENT);
            b = t.min(t.reinterpretAsFloats().fma(2, -LEAST).reinterpretAsInts()).or(s.and(SIGN)).reinterpretAsFloats()
                    .mul(factors.get(JAVA_FLOAT_UNALIGNED, f1 + block) * UNIT)
                    .fma(FloatVector.fromMemorySegment(Lanes.F, x, x0 + X1 + 4 * i, LITTLE_ENDIAN), b);
        }
        a.intoArray(lanes, at);
        b.intoArray(lanes, at + SECOND);
    }

    /**
     * Two vectors of weights, as in {@link #two}, times four rows of floats.
     *
     * @param lanes receives the partial sums: row of floats by row of floats, after all of the first weight row those of the second
     */
    static void tile(MemorySegment w, long w0, long w1, MemorySegment factors, long f0, long f1, MemorySegment x, long x0,
            long x1,
            long x2, long x3, int[] ofGroup, int from, int to, float[] lanes, int at) {
        FloatVector a0 = FloatVector.zero(Lanes.F);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        for (int group = from; group < to; group++) {
            long i = (long) Lanes.COUNT * group;
            long block = 4L * ofGroup[group];
            IntVector s = ((IntVector) ByteVector.fromMemorySegment(B, w, w0 + i, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.B2I, Lanes.I, 0)).lanewise(VectorOperators.LSHL, 20);
            IntVector t = s.and(SIZE).or(EXPONENT);
            FloatVector v = t.min(t.reinterpretAsFloats().fma(2, -LEAST).reinterpretAsInts()).or(s.and(SIGN))
                    .reinterpretAsFloats()
                    .mul(factors.get(JAVA_FLOAT_UNALIGNED, f0 + block) * UNIT);
            a0 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x0 + 4 * i, LITTLE_ENDIAN), a0);
            a1 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x1 + 4 * i, LITTLE_ENDIAN), a1);
            a2 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x2 + 4 * i, LITTLE_ENDIAN), a2);
            a3 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x3 + 4 * i, LITTLE_ENDIAN), a3);
            s = ((IntVector) ByteVector.fromMemorySegment(B, w, w1 + i - BACK, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.B2I, Lanes.I, ODD)).lanewise(VectorOperators.LSHL, 20);
            t = s.and(SIZE).or(EXPONENT);
            v = t.min(t.reinterpretAsFloats().fma(2, -LEAST).reinterpretAsInts()).or(s.and(SIGN)).reinterpretAsFloats()
                    .mul(factors.get(JAVA_FLOAT_UNALIGNED, f1 + block) * UNIT);
            b0 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x0 + X1 + 4 * i, LITTLE_ENDIAN), b0);
            b1 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x1 + X1 + 4 * i, LITTLE_ENDIAN), b1);
            b2 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x2 + X1 + 4 * i, LITTLE_ENDIAN), b2);
            b3 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x3 + X1 + 4 * i, LITTLE_ENDIAN), b3);
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
