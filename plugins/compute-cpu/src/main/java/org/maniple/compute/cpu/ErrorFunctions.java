package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * Functions that few models need, element by element in double precision. {@link StrictMath}, so that every processor gives the same
 * bits.
 */
final class ErrorFunctions {

    private ErrorFunctions() {}

    /** {@code a · (1 + erf(a/sqrt 2))/2}. */
    static void gelu(MemorySegment a, long aAt, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i++) {
            double x = a.get(JAVA_FLOAT_UNALIGNED, aAt + 4L * i);
            out.set(JAVA_FLOAT_UNALIGNED, to + 4L * i, (float) (0.5 * x * complement(-x / StrictMath.sqrt(2))));
        }
    }

    /** {@code cap · tanh(a/cap)}. */
    static void softCap(MemorySegment a, long aAt, float cap, MemorySegment out, long to, int count) {
        for (int i = 0; i < count; i++) {
            double x = a.get(JAVA_FLOAT_UNALIGNED, aAt + 4L * i);
            out.set(JAVA_FLOAT_UNALIGNED, to + 4L * i, (float) (cap * StrictMath.tanh(x / cap)));
        }
    }

    /**
     * {@code erfc}: Abramowitz and Stegun 7.1.6, whose terms are all positive, for small arguments, and the continued fraction 7.1.14 for
     * large ones, where {@code 1 - erf} would cancel.
     */
    static double complement(double x) {
        double size = Math.abs(x);
        double tail;
        if (size < 2) {
            double term = size;
            double sum = size;
            for (int n = 1; term > 1e-17 * sum; n++) {
                term *= 2 * size * size / (2 * n + 1);
                sum += term;
            }
            tail = 1 - 2 / StrictMath.sqrt(Math.PI) * StrictMath.exp(-size * size) * sum;
        } else {
            double fraction = 0;
            for (int n = 60; n > 0; n--) {
                fraction = n / 2.0 / (size + fraction);
            }
            tail = StrictMath.exp(-size * size) / StrictMath.sqrt(Math.PI) / (size + fraction);
        }
        return x < 0 ? 2 - tail : tail;
    }
}
