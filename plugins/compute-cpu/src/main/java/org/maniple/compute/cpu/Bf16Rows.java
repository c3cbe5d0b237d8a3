package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/** Weights in BF16: the upper halves of floats. */
final class Bf16Rows implements WeightRows {

    private static final long X1 = 4L * (1 % Lanes.PARTS) * Lanes.L;
    private static final long X2 = 4L * (2 % Lanes.PARTS) * Lanes.L;
    private static final long X3 = 4L * (3 % Lanes.PARTS) * Lanes.L;
    private static final int SECOND = Lanes.PARTS == 1 ? 4 * Lanes.COUNT : Lanes.L;

    @Override
    public int bytes() {
        return 2;
    }

    @Override
    public float get(MemorySegment weights, long at) {
        return Float.intBitsToFloat(weights.get(JAVA_SHORT_UNALIGNED, at) << 16);
    }

    @Override
    public void widen(MemorySegment w, long at, MemorySegment out, long to, int count) {
        int done = 0;
        for (; done + Lanes.L <= count; done += Lanes.L) {
            ((IntVector) ShortVector.fromMemorySegment(Lanes.S, w, at + 2L * done, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.I, 0)).lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats().intoMemorySegment(out, to + 4L * done, LITTLE_ENDIAN);
        }
        for (; done < count; done++) {
            out.set(JAVA_FLOAT_UNALIGNED, to + 4L * done, get(w, at + 2L * done));
        }
    }

    @Override
    public void four(MemorySegment w, long w0, long w1, long w2, long w3, MemorySegment x, long x0, int count, float[] lanes) {
        FloatVector a = FloatVector.zero(Lanes.F);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        for (int i = 0; i < count; i += Lanes.COUNT) {
            long at = x0 + 4L * i;
            FloatVector v = ((IntVector) ShortVector.fromMemorySegment(Lanes.S, w, w0 + 2L * i, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.I, 0)).lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats();
            a = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, at, LITTLE_ENDIAN), a);
            v = ((IntVector) ShortVector.fromMemorySegment(Lanes.S, w, w1 + 2L * i, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.I, 0)).lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats();
            b = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, at + X1, LITTLE_ENDIAN), b);
            v = ((IntVector) ShortVector.fromMemorySegment(Lanes.S, w, w2 + 2L * i, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.I, 0)).lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats();
            c = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, at + X2, LITTLE_ENDIAN), c);
            v = ((IntVector) ShortVector.fromMemorySegment(Lanes.S, w, w3 + 2L * i, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.I, 0)).lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats();
            d = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, at + X3, LITTLE_ENDIAN), d);
        }
        a.intoArray(lanes, 0);
        b.intoArray(lanes, Lanes.L);
        c.intoArray(lanes, 2 * Lanes.L);
        d.intoArray(lanes, 3 * Lanes.L);
    }

    @Override
    public void tile(MemorySegment w, long w0, long w1, MemorySegment x, long x0, long x1, long x2, long x3, int count,
            float[] lanes,
            int at) {
        FloatVector a0 = FloatVector.zero(Lanes.F);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        for (int i = 0; i < count; i += Lanes.COUNT) {
            FloatVector v = ((IntVector) ShortVector.fromMemorySegment(Lanes.S, w, w0 + 2L * i, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.I, 0)).lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats();
            a0 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x0 + 4L * i, LITTLE_ENDIAN), a0);
            a1 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x1 + 4L * i, LITTLE_ENDIAN), a1);
            a2 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x2 + 4L * i, LITTLE_ENDIAN), a2);
            a3 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x3 + 4L * i, LITTLE_ENDIAN), a3);
            v = ((IntVector) ShortVector.fromMemorySegment(Lanes.S, w, w1 + 2L * i, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.ZERO_EXTEND_S2I, Lanes.I, 0)).lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats();
            b0 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x0 + 4L * i + X1, LITTLE_ENDIAN), b0);
            b1 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x1 + 4L * i + X1, LITTLE_ENDIAN), b1);
            b2 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x2 + 4L * i + X1, LITTLE_ENDIAN), b2);
            b3 = v.fma(FloatVector.fromMemorySegment(Lanes.F, x, x3 + 4L * i + X1, LITTLE_ENDIAN), b3);
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
