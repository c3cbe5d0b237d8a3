package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.OptionalInt;
import org.maniple.api.graph.ElementFunction;

/** Operations on rows in C ({@code rows.c}), which give the bits of the Java kernels. Safe for use by several threads. */
final class NativeRows {

    // Handles are constants and take the address of the function, so that the compiler knows the whole call.
    private static final MethodHandle NORM = handle(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG,
            JAVA_INT, JAVA_INT, JAVA_FLOAT);
    private static final MethodHandle MAP = handle(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_FLOAT, JAVA_FLOAT);
    private static final MethodHandle ROPE = handle(JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG,
            JAVA_LONG);
    private static final MethodHandle CANDIDATES = handle(JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle STORE = handle(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT);
    private static final MethodHandle SOFTMAX_SUM = handle(JAVA_LONG, JAVA_INT, JAVA_LONG);

    private final MemorySegment norm;
    private final MemorySegment map;
    private final MemorySegment rope;
    private final MemorySegment candidates;
    private final MemorySegment softmaxSum;
    private final MemorySegment store;

    private NativeRows(NativeLibrary library, String variant) {
        this.norm = library.required("norm_" + variant);
        this.map = library.required("map_" + variant);
        this.rope = library.required("rope_" + variant);
        this.candidates = library.required("candidates_" + variant);
        this.softmaxSum = library.required("softmax_sum_" + variant);
        this.store = library.required("store_" + variant);
    }

    /** The functions for an instruction set; empty if the library does not have them. */
    static Optional<NativeRows> of(NativeLibrary library, String variant) {
        return library.function("norm_" + variant).map(found -> new NativeRows(library, variant));
    }

    private static MethodHandle handle(MemoryLayout... arguments) {
        return Linker.nativeLinker().downcallHandle(FunctionDescriptor.ofVoid(arguments));
    }

    /**
     * Sums of squares of groups of elements, if there are leaves; and the groups scaled by them, if there is a weight.
     *
     * @param at where the groups begin in {@code x} and {@code out}, in bytes
     * @param firstGroup the first group
     * @param ends where leaves end, as ints; empty: the sums are there already
     * @param weight or {@link MemorySegment#NULL}
     * @param count what the sums are divided by
     */
    void norm(MemorySegment x, long at, MemorySegment squares, int firstGroup, MemorySegment ends, MemorySegment weight,
            MemorySegment out, int groups, int length, int count, float epsilon) {
        try {
            NORM.invokeExact(norm, x.address() + at, squares.address() + 4L * firstGroup, ends.address(),
                    (int) (ends.byteSize() / 4),
                    weight.address(), out.address() + at, (long) groups, length, count, epsilon);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** The number of a function in C; empty if it is computed in Java alone. */
    static OptionalInt number(ElementFunction function) {
        return switch (function) {
            case ElementFunction.Add add -> OptionalInt.of(0);
            case ElementFunction.Scale scale -> OptionalInt.of(1);
            case ElementFunction.Glu glu -> switch (glu.activation()) {
                case SILU -> OptionalInt.of(2);
                case GELU_TANH -> OptionalInt.of(3);
                case RELU -> OptionalInt.of(4);
                case GELU -> OptionalInt.empty();
            };
            case ElementFunction.Activate activate -> switch (activate.activation()) {
                case SILU -> OptionalInt.of(5);
                case GELU_TANH -> OptionalInt.of(6);
                case RELU -> OptionalInt.of(7);
                case GELU -> OptionalInt.empty();
            };
            case ElementFunction.ClampedGlu glu -> OptionalInt.of(8);
            case ElementFunction.Clamp clamp -> OptionalInt.of(9);
            case ElementFunction.RowGate gate -> OptionalInt.empty();
            case ElementFunction.SoftCap cap -> OptionalInt.empty();
        };
    }

    /** The first number that a function in C is given. */
    static float first(ElementFunction function) {
        return switch (function) {
            case ElementFunction.Scale scale -> scale.factor();
            case ElementFunction.ClampedGlu glu -> glu.alpha();
            case ElementFunction.Clamp clamp -> clamp.limit();
            default -> 0;
        };
    }

    /** The second number that a function in C is given. */
    static float second(ElementFunction function) {
        return function instanceof ElementFunction.ClampedGlu glu ? glu.limit() : 0;
    }

    /** Computes {@code out = function(a, b)} of some elements; functions of one operand are given it twice. Offsets are in bytes. */
    void map(int function, float first, float second, MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment out,
            long to, long count) {
        try {
            MAP.invokeExact(map, function, a.address() + aAt, b.address() + bAt, out.address() + to, count, first, second);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /**
     * Turns the heads of a row.
     *
     * @param at where the row begins in {@code x} and {@code out}, in bytes
     * @param line where the row's cosines and sines begin, in bytes
     */
    void rope(MemorySegment x, MemorySegment out, long at, int heads, int length, int pairs, boolean interleaved,
            MemorySegment cosines, MemorySegment sines, long line) {
        try {
            ROPE.invokeExact(rope, x.address() + at, out.address() + at, heads, length, pairs, interleaved ? 1 : 0,
                    cosines.address() + line, sines.address() + line);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /**
     * Offers logits to the candidates so far: {@code k} logits and then as many ids.
     *
     * @param from where the logits begin, in bytes; likewise {@code to}
     * @param firstId the id of the first; the others follow
     */
    void candidates(MemorySegment logits, long from, int count, int firstId, MemorySegment out, long to, int k) {
        try {
            CANDIDATES.invokeExact(candidates, logits.address() + from, count, firstId, out.address() + to,
                    out.address() + to + 4L * k, k);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** Writes the greatest logit, and behind it the sum of exponentials relative to it. Offsets are in bytes. */
    void softmaxSum(MemorySegment logits, long from, int count, MemorySegment out, long to) {
        try {
            SOFTMAX_SUM.invokeExact(softmaxSum, logits.address() + from, count, out.address() + to);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /**
     * Stores a row of a state as {@link org.maniple.api.tensor.CachedRows} says.
     *
     * @param state not of floats
     */
    void store(MemorySegment x, long at, CachedState state, long slot) {
        long to = slot * state.width();
        int heads = state.heads();
        try {
            STORE.invokeExact(store, state.form().ordinal(), x.address() + at,
                    state.memory().address() + to * state.form().bytes(),
                    state.factors().address() + 4L * slot * heads, heads, state.length());
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    private static IllegalStateException failed(Throwable cause) {
        return new IllegalStateException("a native function cannot be called: " + cause, cause);
    }
}
