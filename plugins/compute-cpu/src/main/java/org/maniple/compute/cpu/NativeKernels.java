package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.maniple.api.tensor.DType;

/**
 * The C kernels of one instruction set. They read and write memory by address: callers check that it is there. Safe for use by several
 * threads, on different outputs.
 */
final class NativeKernels {

    // Handles are constants and take the address of the function, so that the compiler knows the whole call.
    private static final MethodHandle MULTIPLY = handle(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle PREPARE = handle(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG, JAVA_LONG);
    private static final MethodHandle PACK = handle(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle FLOATS = handle(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle GROUP_BYTES = Linker.nativeLinker()
            .downcallHandle(FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG));

    private final String variant;
    private final MemorySegment multiply;
    private final MemorySegment prepare;
    private final MemorySegment pack;
    private final MemorySegment floats;
    private final MemorySegment groupBytes;

    /**
     * Looks the kernels up.
     *
     * @param variant one that the processor can run: {@code avx2}, {@code avx512vnni} or {@code amx}
     */
    NativeKernels(NativeLibrary library, String variant) {
        this.variant = variant;
        this.multiply = library.required("maniple_multiply_" + variant);
        // Tiles have no part in it.
        this.prepare = library.required("maniple_prepare_" + (variant.equals("amx") ? "avx512vnni" : variant));
        this.pack = library.required("maniple_pack");
        this.floats = library.required("maniple_floats_of_packed");
        this.groupBytes = library.required("maniple_group_bytes");
    }

    private static MethodHandle handle(java.lang.foreign.MemoryLayout... arguments) {
        return Linker.nativeLinker().downcallHandle(FunctionDescriptor.ofVoid(arguments));
    }

    /** The instruction set. */
    String variant() {
        return variant;
    }

    /**
     * {@code out[m][n] = x[m] · w[first + n]} with packed weights.
     *
     * @param first the first row of weights; the first of a group
     * @param columns rows of weights
     * @param blocks of 32 elements in a row
     * @param x the address of the first row of activations as {@link PackedActivations} prepares them
     * @param outStride in floats
     * @param ends where leaves end, in blocks, as ints
     */
    void multiply(DType type, long packed, long first, long columns, long blocks, long x, long xStride, long rows, long out,
            long outStride, long ends, long leaves) {
        try {
            MULTIPLY.invokeExact(multiply, NativeType.of(type), packed, first, columns, blocks, x, xStride, rows, out, outStride,
                    ends,
                    leaves);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /**
     * Prepares rows of floats.
     *
     * @param runs for each run of own elements the first held one, the first own one, and their number, as ints
     * @param count how many; 0 if all elements are own
     * @param out the address of prepared row 0
     */
    void prepare(long x, long columns, long held, long runs, long count, long from, long to, long out, long stride) {
        try {
            PREPARE.invokeExact(prepare, x, columns, held, runs, count, from, to, out, stride);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** Packs rows of some units. */
    void pack(DType type, long source, long rows, long units, long target) {
        try {
            PACK.invokeExact(pack, NativeType.of(type), source, rows, units, target);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** Writes the elements of a row of packed weights as floats. */
    void floats(DType type, long packed, long row, long units, long out) {
        try {
            FLOATS.invokeExact(floats, NativeType.of(type), packed, row, units, out);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** The size of a group of 16 rows. */
    long groupBytes(DType type, long units) {
        try {
            return (long) GROUP_BYTES.invokeExact(groupBytes, NativeType.of(type), units);
        } catch (Throwable e) {
            throw failed(e);
        }
    }

    /** What a failed call becomes. */
    static RuntimeException failed(Throwable e) {
        return new IllegalStateException("a native kernel could not be called", e);
    }
}
