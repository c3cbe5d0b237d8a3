package org.maniple.compute.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.maniple.api.graph.ElementFunction;

/**
 * An elementwise function over ranges of any length. What does not fill a vector goes through padded scratch memory, so that it is
 * computed by the same instructions as the rest.
 */
final class ElementRange {

    private static final long OPERAND = 4L * Lanes.COUNT;

    private final ElementFunction function;
    /** Computes it, unless Java does. */
    private final @Nullable NativeRows rows;
    private final int number;
    private final float first;
    private final float second;
    /** For each thread the ends of x, y and the result. */
    private final MemorySegment[] ends;

    ElementRange(ElementFunction function, Shared shared) {
        int threads = shared.workers().threads();
        this.function = function;
        this.number = NativeRows.number(function).orElse(-1);
        this.rows = number < 0 ? null : shared.rows();
        this.first = NativeRows.first(function);
        this.second = NativeRows.second(function);
        this.ends = new MemorySegment[threads];
        for (int i = 0; i < threads; i++) {
            ends[i] = Arena.ofAuto().allocate(4 * OPERAND, 64);
        }
    }

    /** Computes {@code out = function(a, b)}; {@code b} is not read by functions of one element. */
    void apply(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long to, int count, int thread) {
        if (rows != null) {
            boolean two = function.operands() > 1;
            rows.map(number, first, second, a, aAt, two ? b : a, two ? bAt : aAt, out, to, count);
            return;
        }
        int rest = count % Lanes.L;
        int whole = count - rest;
        if (whole > 0) {
            whole(a, aAt, b, bAt, out, to, whole);
        }
        if (rest > 0) {
            MemorySegment end = ends[thread];
            MemorySegment.copy(a, aAt + 4L * whole, end, 0, 4L * rest);
            if (function.operands() > 1) {
                MemorySegment.copy(b, bAt + 4L * whole, end, OPERAND, 4L * rest);
            }
            whole(end, 0, end, OPERAND, end, 2 * OPERAND, Lanes.L);
            MemorySegment.copy(end, 2 * OPERAND, out, to + 4L * whole, 4L * rest);
        }
    }

    private void whole(MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out, long to, int count) {
        switch (function) {
            case ElementFunction.Add add -> Functions.add(a, aAt, b, bAt, out, to, count);
            case ElementFunction.Scale scale -> Functions.scale(a, aAt, scale.factor(), out, to, count);
            case ElementFunction.Glu glu -> {
                activate(glu.activation(), a, aAt, out, to, count);
                Functions.multiply(out, to, b, bAt, out, to, count);
            }
            case ElementFunction.Activate activate -> activate(activate.activation(), a, aAt, out, to, count);
            case ElementFunction.ClampedGlu glu -> Functions.clampedGlu(a, aAt, b, bAt, glu.alpha(), glu.limit(), out, to, count);
            case ElementFunction.Clamp clamp -> Functions.clamp(a, aAt, clamp.limit(), out, to, count);
            case ElementFunction.RowGate gate -> throw new IllegalStateException("computed by rows: " + gate);
            case ElementFunction.SoftCap cap -> ErrorFunctions.softCap(a, aAt, cap.cap(), out, to, count);
        }
    }

    private static void activate(ElementFunction.Activation activation, MemorySegment a, long aAt, MemorySegment out, long to,
            int count) {
        switch (activation) {
            case SILU -> Functions.silu(a, aAt, out, to, count);
            case GELU_TANH -> Functions.geluTanh(a, aAt, out, to, count);
            case GELU -> ErrorFunctions.gelu(a, aAt, out, to, count);
            case RELU -> Functions.relu(a, aAt, out, to, count);
        }
    }
}
