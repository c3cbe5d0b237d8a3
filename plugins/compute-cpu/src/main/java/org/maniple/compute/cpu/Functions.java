package org.maniple.compute.cpu;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Functions of single elements over memory. Counts are multiples of {@link Lanes#L}; each lane is computed alone. */
final class Functions {

    private static final float LOG2_E = 1.44269504f;
    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;
    /** Adding it rounds a small float to an integer, which then stands in the low bits. */
    private static final float ROUNDING = 0x1.8p23f;

    private Functions() {}

    /** {@code e^v}: a power of two times a Taylor polynomial; relative error about 1e-7, gradual underflow, NaN stays. */
    static FloatVector exp(FloatVector v) {
        FloatVector x = v.min(89f).max(-105f);
        FloatVector shifted = x.fma(FloatVector.broadcast(Lanes.F, LOG2_E), FloatVector.broadcast(Lanes.F, ROUNDING));
        FloatVector n = shifted.sub(ROUNDING);
        FloatVector r = n.fma(FloatVector.broadcast(Lanes.F, -LN2_HIGH), x);
        r = n.fma(FloatVector.broadcast(Lanes.F, -LN2_LOW), r);
        FloatVector p = r.fma(FloatVector.broadcast(Lanes.F, 1f / 5040), FloatVector.broadcast(Lanes.F, 1f / 720));
        p = p.fma(r, FloatVector.broadcast(Lanes.F, 1f / 120));
        p = p.fma(r, FloatVector.broadcast(Lanes.F, 1f / 24));
        p = p.fma(r, FloatVector.broadcast(Lanes.F, 1f / 6));
        p = p.fma(r, FloatVector.broadcast(Lanes.F, 0.5f));
        FloatVector one = FloatVector.broadcast(Lanes.F, 1f);
        p = p.fma(r, one).fma(r, one);
        // In two halves, because 2^n alone leaves the range of normal floats at both ends.
        IntVector exponent = shifted.reinterpretAsInts().sub(Float.floatToRawIntBits(ROUNDING));
        IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
        return p.mul(powerOfTwo(half)).mul(powerOfTwo(exponent.sub(half)));
    }

    private static FloatVector powerOfTwo(IntVector exponent) {
        return exponent.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
    }

    static float exp(float x) {
        return exp(FloatVector.broadcast(Lanes.F, x)).lane(0);
    }

    static void add(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            Lanes.load(a, aAt + 4L * i).add(Lanes.load(b, bAt + 4L * i)).intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    static void multiply(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            Lanes.load(a, aAt + 4L * i).mul(Lanes.load(b, bAt + 4L * i)).intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    static void scale(MemorySegment a, long aAt, float factor, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            Lanes.load(a, aAt + 4L * i).mul(factor).intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    /** {@code out = e^(a - shift)}. */
    static void expOfDifference(MemorySegment a, long aAt, float shift, MemorySegment out, long to, int count) {
        FloatVector shifts = FloatVector.broadcast(Lanes.F, shift);
        for (int i = 0; i < count; i += Lanes.L) {
            exp(Lanes.load(a, aAt + 4L * i).sub(shifts)).intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    static void silu(MemorySegment a, long aAt, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            FloatVector v = Lanes.load(a, aAt + 4L * i);
            v.div(exp(v.neg()).add(1f)).intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    /** With {@code (1 + tanh u)/2 = 1/(1 + e^-2u)}, which does not cancel. */
    static void geluTanh(MemorySegment a, long aAt, MemorySegment out, long to, int count) {
        FloatVector linear = FloatVector.broadcast(Lanes.F, (float) (-2 * Math.sqrt(2 / Math.PI)));
        FloatVector cubic = FloatVector.broadcast(Lanes.F, (float) (-2 * Math.sqrt(2 / Math.PI) * 0.044715));
        for (int i = 0; i < count; i += Lanes.L) {
            FloatVector v = Lanes.load(a, aAt + 4L * i);
            FloatVector u = v.mul(v).fma(cubic, linear).mul(v);
            v.div(exp(u).add(1f)).intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    static void relu(MemorySegment a, long aAt, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            Lanes.load(a, aAt + 4L * i).max(0f).intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }
}
