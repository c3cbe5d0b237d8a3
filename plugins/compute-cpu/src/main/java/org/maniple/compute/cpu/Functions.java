package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Functions of single elements over memory. Counts are multiples of {@link Lanes#L} unless it says otherwise; each lane is computed alone. A result may lie where
 * an operand lies unless it says otherwise.
 */
@SuppressWarnings("FloatingPointLiteralPrecision") // the nearest float is meant
final class Functions {

    private static final float LOG2_E = 1.44269504f;
    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;
    /** Adding it rounds a small float to an integer, which then stands in the low bits. */
    private static final float ROUNDING = 0x1.8p23f;

    private Functions() {}

    /** {@code out = e^a}: a power of two times a Taylor polynomial; relative error about 1e-7, gradual underflow, NaN stays. */
    static void exp(MemorySegment a, long aAt, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            FloatVector x = FloatVector.fromMemorySegment(Lanes.F, a, aAt + 4L * i, LITTLE_ENDIAN).min(89f).max(-105f);
            FloatVector shifted = x.fma(FloatVector.broadcast(Lanes.F, LOG2_E), FloatVector.broadcast(Lanes.F, ROUNDING));
            FloatVector n = shifted.sub(ROUNDING);
            FloatVector r = n.fma(FloatVector.broadcast(Lanes.F, -LN2_HIGH), x);
            r = n.fma(FloatVector.broadcast(Lanes.F, -LN2_LOW), r);
            FloatVector p = r.fma(FloatVector.broadcast(Lanes.F, 1f / 5040), FloatVector.broadcast(Lanes.F, 1f / 720));
            p = p.fma(r, FloatVector.broadcast(Lanes.F, 1f / 120));
            p = p.fma(r, FloatVector.broadcast(Lanes.F, 1f / 24));
            p = p.fma(r, FloatVector.broadcast(Lanes.F, 1f / 6));
            p = p.fma(r, FloatVector.broadcast(Lanes.F, 0.5f));
            p = p.fma(r, FloatVector.broadcast(Lanes.F, 1f));
            p = p.fma(r, FloatVector.broadcast(Lanes.F, 1f));
            // In two halves, because 2^n alone leaves the range of normal floats at both ends.
            IntVector exponent = shifted.reinterpretAsInts().sub(Float.floatToRawIntBits(ROUNDING));
            IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
            p = p.mul(half.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
            p = p.mul(exponent.sub(half).add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
            p.intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    /** {@code out = a + b}. */
    static void add(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            FloatVector.fromMemorySegment(Lanes.F, a, aAt + 4L * i, LITTLE_ENDIAN)
                    .add(FloatVector.fromMemorySegment(Lanes.F, b, bAt + 4L * i, LITTLE_ENDIAN))
                    .intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    /** {@code out = a · b}. */
    static void multiply(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            FloatVector.fromMemorySegment(Lanes.F, a, aAt + 4L * i, LITTLE_ENDIAN)
                    .mul(FloatVector.fromMemorySegment(Lanes.F, b, bAt + 4L * i, LITTLE_ENDIAN))
                    .intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    /** {@code out = a / (1 + b)}. */
    static void divideByOneMore(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            FloatVector.fromMemorySegment(Lanes.F, a, aAt + 4L * i, LITTLE_ENDIAN)
                    .div(FloatVector.fromMemorySegment(Lanes.F, b, bAt + 4L * i, LITTLE_ENDIAN).add(1f))
                    .intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    /** {@code out = a · factor}. */
    static void scale(MemorySegment a, long aAt, float factor, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            FloatVector.fromMemorySegment(Lanes.F, a, aAt + 4L * i, LITTLE_ENDIAN).mul(factor)
                    .intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    /** {@code out = a - shift}. */
    static void subtract(MemorySegment a, long aAt, float shift, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            FloatVector.fromMemorySegment(Lanes.F, a, aAt + 4L * i, LITTLE_ENDIAN).sub(shift)
                    .intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    /** {@code out = out · kept + a · taken}; any count. */
    static void join(MemorySegment out, long to, float kept, MemorySegment a, long aAt, float taken, int count) {
        int i = 0;
        for (; i + Lanes.L <= count; i += Lanes.L) {
            FloatVector.fromMemorySegment(Lanes.F, a, aAt + 4L * i, LITTLE_ENDIAN)
                    .fma(FloatVector.broadcast(Lanes.F, taken),
                            FloatVector.fromMemorySegment(Lanes.F, out, to + 4L * i, LITTLE_ENDIAN).mul(kept))
                    .intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
        for (; i < count; i++) {
            float shrunk = out.get(JAVA_FLOAT_UNALIGNED, to + 4L * i) * kept;
            out.set(JAVA_FLOAT_UNALIGNED, to + 4L * i, Math.fma(a.get(JAVA_FLOAT_UNALIGNED, aAt + 4L * i), taken, shrunk));
        }
    }

    /** {@code out = out / divisor}; any count. */
    static void divide(MemorySegment out, long to, float divisor, int count) {
        int i = 0;
        for (; i + Lanes.L <= count; i += Lanes.L) {
            FloatVector.fromMemorySegment(Lanes.F, out, to + 4L * i, LITTLE_ENDIAN).div(divisor)
                    .intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
        for (; i < count; i++) {
            out.set(JAVA_FLOAT_UNALIGNED, to + 4L * i, out.get(JAVA_FLOAT_UNALIGNED, to + 4L * i) / divisor);
        }
    }

    /** {@code out = max(a, 0)}. */
    static void relu(MemorySegment a, long aAt, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            FloatVector.fromMemorySegment(Lanes.F, a, aAt + 4L * i, LITTLE_ENDIAN).max(0f)
                    .intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    /** {@code out = min(max(a, -limit), limit)}. */
    static void clamp(MemorySegment a, long aAt, float limit, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            FloatVector.fromMemorySegment(Lanes.F, a, aAt + 4L * i, LITTLE_ENDIAN).max(-limit).min(limit)
                    .intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    /** {@code out = (clip(b, -limit, limit) + 1) · g · sigmoid(alpha · g)}, {@code g = min(a, limit)}; {@code out} is neither operand. */
    static void clampedGlu(MemorySegment a, long aAt, MemorySegment b, long bAt, float alpha, float limit, MemorySegment out,
            long to,
            int count) {
        scaleBounded(a, aAt, limit, -alpha, out, to, count);
        exp(out, to, out, to, count);
        divideBoundedByOneMore(a, aAt, limit, out, to, count);
        multiplyByClippedAndOne(b, bAt, limit, out, to, count);
    }

    /** {@code out = factor · min(a, limit)}. */
    private static void scaleBounded(MemorySegment a, long aAt, float limit, float factor, MemorySegment out, long to,
            int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            FloatVector.fromMemorySegment(Lanes.F, a, aAt + 4L * i, LITTLE_ENDIAN).min(limit).mul(factor)
                    .intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    /** {@code out = min(a, limit) / (1 + out)}. */
    private static void divideBoundedByOneMore(MemorySegment a, long aAt, float limit, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            FloatVector.fromMemorySegment(Lanes.F, a, aAt + 4L * i, LITTLE_ENDIAN).min(limit)
                    .div(FloatVector.fromMemorySegment(Lanes.F, out, to + 4L * i, LITTLE_ENDIAN).add(1f))
                    .intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    /** {@code out = (clip(b, -limit, limit) + 1) · out}. */
    private static void multiplyByClippedAndOne(MemorySegment b, long bAt, float limit, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i += Lanes.L) {
            FloatVector.fromMemorySegment(Lanes.F, b, bAt + 4L * i, LITTLE_ENDIAN).max(-limit).min(limit).add(1f)
                    .mul(FloatVector.fromMemorySegment(Lanes.F, out, to + 4L * i, LITTLE_ENDIAN))
                    .intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }

    /** {@code out = a / (1 + e^-a)}; {@code out} must not be {@code a}. */
    static void silu(MemorySegment a, long aAt, MemorySegment out, long to, int count) {
        scale(a, aAt, -1, out, to, count);
        exp(out, to, out, to, count);
        divideByOneMore(a, aAt, out, to, out, to, count);
    }

    /** With {@code (1 + tanh u)/2 = 1/(1 + e^-2u)}, which does not cancel; {@code out} must not be {@code a}. */
    static void geluTanh(MemorySegment a, long aAt, MemorySegment out, long to, int count) {
        cubic(a, aAt, out, to, count);
        exp(out, to, out, to, count);
        divideByOneMore(a, aAt, out, to, out, to, count);
    }

    /** {@code out = -2·sqrt(2/pi) · (a + 0.044715 a³)}. */
    private static void cubic(MemorySegment a, long aAt, MemorySegment out, long to, int count) {
        FloatVector first = FloatVector.broadcast(Lanes.F, (float) (-2 * Math.sqrt(2 / Math.PI)));
        FloatVector third = FloatVector.broadcast(Lanes.F, (float) (-2 * Math.sqrt(2 / Math.PI) * 0.044715));
        for (int i = 0; i < count; i += Lanes.L) {
            FloatVector v = FloatVector.fromMemorySegment(Lanes.F, a, aAt + 4L * i, LITTLE_ENDIAN);
            v.mul(v).fma(third, first).mul(v).intoMemorySegment(out, to + 4L * i, LITTLE_ENDIAN);
        }
    }
}
