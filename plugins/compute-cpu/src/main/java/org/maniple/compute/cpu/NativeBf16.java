package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;

/**
 * The C kernels that multiply BF16 weights with activations rounded to BF16, by the instructions that some processors have for it. They read and
 * write memory by address: callers check that it is there. Safe for use by several threads, on different outputs.
 */
final class NativeBf16 {

    /** Linked when weights are BF16: that takes longer than most of what else a start does. */
    private static final class Linked {
        private static final MethodHandle MULTIPLY = handle(9);
        private static final MethodHandle PREPARE = handle(6);
        private static final MethodHandle PACK = handle(4);
        private static final MethodHandle FLOATS = handle(4);

        private static MethodHandle handle(int arguments) {
            var layouts = new MemoryLayout[arguments];
            java.util.Arrays.fill(layouts, JAVA_LONG);
            return Linker.nativeLinker().downcallHandle(FunctionDescriptor.ofVoid(layouts));
        }
    }

    private final String variant;
    private final MemorySegment multiply;
    private final MemorySegment prepare;
    private final MemorySegment pack;
    private final MemorySegment floats;

    /**
     * Looks the kernels up.
     *
     * @param variant one that the processor can run: {@code avx512bf16} or {@code amx}
     */
    NativeBf16(NativeLibrary library, String variant) {
        this.variant = variant;
        this.multiply = library.required("maniple_multiply_bf16_" + variant);
        this.prepare = library.required("maniple_prepare_bf16_" + variant);
        this.pack = library.required("maniple_pack16");
        this.floats = library.required("maniple_floats_of_packed_bf16");
    }

    /** The kernels beside those of another variant, if the processor can run them. */
    static Optional<NativeBf16> beside(String variant, NativeLibrary library) {
        List<String> usable = library.variants();
        return switch (variant) {
            case "amx" -> Optional.of(new NativeBf16(library, variant));
            case "avx512vnni" ->
                usable.contains("avx512bf16") ? Optional.of(new NativeBf16(library, "avx512bf16")) : Optional.empty();
            default -> Optional.empty();
        };
    }

    /** The instruction set. */
    String variant() {
        return variant;
    }

    /**
     * {@code out[m][n] = x[m] · w[first + n]} with packed weights.
     *
     * @param first the first row of weights; the first of a group
     * @param rowsOfWeights how many
     * @param columns elements of a row
     * @param x the address of the first row of activations as {@link #prepare} writes them
     * @param outStride in floats
     */
    void multiply(long packed, long first, long rowsOfWeights, long columns, long x, long xStride, long rows, long out,
            long outStride) {
        try {
            Linked.MULTIPLY.invokeExact(multiply, packed, first, rowsOfWeights, columns, x, xStride, rows, out, outStride);
        } catch (Throwable e) {
            throw NativeKernels.failed(e);
        }
    }

    /** Rounds rows of floats to BF16 and fills them up with zeros to a multiple of 32 elements. */
    void prepare(long x, long columns, long from, long to, long out, long stride) {
        try {
            Linked.PREPARE.invokeExact(prepare, x, columns, from, to, out, stride);
        } catch (Throwable e) {
            throw NativeKernels.failed(e);
        }
    }

    /** Packs rows. */
    void pack(long source, long rows, long columns, long target) {
        try {
            Linked.PACK.invokeExact(pack, source, rows, columns, target);
        } catch (Throwable e) {
            throw NativeKernels.failed(e);
        }
    }

    /** Writes the elements of a row of packed weights as floats. */
    void floats(long packed, long row, long columns, long out) {
        try {
            Linked.FLOATS.invokeExact(floats, packed, row, columns, out);
        } catch (Throwable e) {
            throw NativeKernels.failed(e);
        }
    }
}
