package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import org.maniple.api.tensor.BlockCodec;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/** Compares native kernels with a second opinion: on a small matrix, with one row of activations and with several. */
final class NativeCheck {

    private static final int ROWS = 17;
    private static final int MANY = 5;
    private static final MemorySegment NO_FACTORS = MemorySegment.NULL;

    private final NativeKernels kernels;
    private final Products others;

    /**
     * A comparison.
     *
     * @param others whose results are the right ones
     */
    NativeCheck(NativeKernels kernels, Products others) {
        this.kernels = kernels;
        this.others = others;
    }

    /** What is wrong with the kernels for a block type; empty if they give the same bits. */
    Optional<String> difference(DType type) {
        try (var arena = Arena.ofConfined()) {
            int length = Math.max(64, type.blockElements());
            var rows = BlockRows.whole(length);
            int[] shape = {ROWS, length};
            var layout = new PackedRows(kernels, type, length / type.blockElements());
            MemorySegment stored = arena.allocate(ROWS * type.bytes(length), 64);
            MemorySegment packed = arena.allocate(layout.bytes(ROWS), 64);
            MemorySegment x = arena.allocate(JAVA_FLOAT, (long) MANY * length);
            fill(type, stored, x, length);
            layout.pack(stored, ROWS, packed);
            int[] ends = {length};
            var native1 = new PackedProduct(kernels, layout, rows, ends);
            Optional<Product> other = others.product(Tensor.blocked(type, shape, rows, stored), ends, ActivationForm.INT8);
            if (other.isEmpty()) {
                return Optional.empty();
            }
            float[] expected = results(arena, other.get(), stored, x, MANY);
            boolean same = Arrays.equals(expected, results(arena, native1, packed, x, MANY))
                    && Arrays.equals(expected, 0, ROWS, results(arena, native1, packed, x, 1), 0, ROWS)
                    && decodes(arena, layout, stored, packed);
            return same
                    ? Optional.empty()
                    : Optional.of("cpu: the " + kernels.variant() + " kernels for " + type.name().toLowerCase(Locale.ROOT)
                            + " disagree with " + others.describe(type, ActivationForm.INT8)
                            + " and are not used; please report this");
        }
    }

    /** The same for BF16 weights. Of small whole numbers all sums are exact, in whatever order. */
    Optional<String> difference(NativeBf16 bf16) {
        try (var arena = Arena.ofConfined()) {
            int length = 72;
            MemorySegment stored = arena.allocate(2L * ROWS * length, 64);
            MemorySegment x = arena.allocate(JAVA_FLOAT, (long) MANY * length);
            var random = new SplittableRandom(length);
            for (int i = 0; i < ROWS * length; i++) {
                stored.setAtIndex(JAVA_SHORT, i, (short) (Float.floatToIntBits(random.nextInt(-100, 101)) >> 16));
            }
            for (int i = 0; i < MANY * length; i++) {
                x.setAtIndex(JAVA_FLOAT, i, random.nextInt(-100, 101));
            }
            var layout = new PackedBf16Rows(bf16, length);
            MemorySegment packed = arena.allocate(layout.bytes(ROWS), 64);
            layout.pack(stored, ROWS, packed);
            int[] ends = {length};
            Optional<Product> other = others.product(Tensor.of(DType.BF16, new int[] {ROWS, length}, stored), ends,
                    ActivationForm.F32);
            if (other.isEmpty()) {
                return Optional.empty();
            }
            float[] expected = results(arena, other.get(), stored, x, MANY);
            boolean same = Arrays.equals(expected, results(arena, new Bf16Product(bf16, true, length), packed, x, MANY))
                    && Arrays.equals(expected, results(arena, new Bf16Product(bf16, false, length), stored, x, MANY))
                    && Arrays.equals(expected, 0, ROWS, results(arena, new Bf16Product(bf16, true, length), packed, x, 1), 0,
                            ROWS);
            return same
                    ? Optional.empty()
                    : Optional.of("cpu: the " + bf16.variant() + " kernels for bf16 disagree with "
                            + others.describe(DType.BF16, ActivationForm.F32) + " and are not used; please report this");
        }
    }

    /** Bytes that are finite numbers whatever they are read as. */
    private static void fill(DType type, MemorySegment stored, MemorySegment x, int length) {
        var random = new SplittableRandom(type.ordinal());
        for (long i = 0; i < stored.byteSize(); i++) {
            // The upper byte of a half has its exponent; that of infinity is 0x7c.
            stored.set(JAVA_BYTE, i, (byte) (random.nextInt(256) & 0xb7));
        }
        for (long i = 0; i < (long) MANY * length; i++) {
            x.setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
        }
    }

    private static float[] results(Arena arena, Product product, MemorySegment w, MemorySegment x, int many) {
        MemorySegment input = x;
        long stride = 4L * product.count();
        if (product.preparation().isPresent()) {
            Preparation preparation = product.preparation().get();
            stride = preparation.rowBytes();
            input = arena.allocate(stride * Math.ceilDiv(many, preparation.rowsTogether()) * preparation.rowsTogether(), 64);
            preparation.prepare(x, 0, many, many, input, 0);
        }
        var scratch = new Scratch();
        scratch.reserve(product.panelBytes(), product.panelFloats());
        MemorySegment out = arena.allocate(JAVA_FLOAT, (long) many * ROWS);
        product.compute(w, 0, NO_FACTORS, ROWS, input, 0, stride, 0, many, out, 0, 4L * ROWS, scratch);
        return out.toArray(JAVA_FLOAT);
    }

    private boolean decodes(Arena arena, PackedRows layout, MemorySegment stored, MemorySegment packed) {
        int length = layout.units() * layout.type().blockElements();
        MemorySegment expected = arena.allocate(JAVA_FLOAT, length);
        MemorySegment out = arena.allocate(JAVA_FLOAT, length);
        BlockCodec codec = BlockCodec.of(layout.type());
        for (int row = 0; row < ROWS; row++) {
            codec.decode(stored, row * layout.type().bytes(length), expected, 0, length);
            kernels.floats(layout.type(), packed.address(), row, layout.units(), out.address());
            if (!Arrays.equals(expected.toArray(JAVA_FLOAT), out.toArray(JAVA_FLOAT))) {
                return false;
            }
        }
        return true;
    }
}
