package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.WeightLayout;

/** Contractions of BF16 weights with activations rounded to BF16. */
class NativeBf16Test {

    private static final int MOST_ROWS = 70;
    private static final int COLUMNS = 53;
    private static final Precision REDUCED = new Precision(true, false);

    private static NativeProducts products(String variant) {
        return switch (NativeLibrary.load()) {
            case NativeLibrary.Missing(String reason) -> abort("no native kernels: " + reason);
            case NativeLibrary.Loaded(NativeLibrary library) -> {
                String beside = variant.equals("amx") ? "amx" : "avx512vnni";
                assumeTrue(library.variants().containsAll(List.of(variant, beside)),
                        () -> "this processor cannot run " + variant + "; it can run " + library.variants());
                yield new NativeProducts(new NativeKernels(library, beside), NativeBf16.beside(beside, library),
                        new VectorProducts(), CheckMemory.none(),
                        message -> assertThat(message).isNull());
            }
        };
    }

    private static Tensor packed(Products products, Tensor weight) {
        var asked = new WeightLayout.Weight(DType.BF16, COLUMNS, BlockRows.whole(weight.extent(1)),
                List.of(WeightLayout.Use.CONTRACT));
        WeightLayout layout = products.layout(asked, REDUCED).orElseThrow();
        MemorySegment memory = Arena.ofAuto().allocate(layout.bytes(COLUMNS), 64);
        memory.fill((byte) 77);
        layout.pack(weight.segment(), COLUMNS, memory);
        return Tensor.packed(DType.BF16, new int[] {COLUMNS, weight.extent(1)}, BlockRows.whole(weight.extent(1)), layout,
                memory);
    }

    private static double rounded(double value) {
        return Float.intBitsToFloat((Float.floatToIntBits((float) value) + 0x7fff
                + (Float.floatToIntBits((float) value) >>> 16 & 1)) & 0xffff0000);
    }

    @ParameterizedTest
    @ValueSource(strings = {"avx512bf16", "amx"})
    void areOfRoundedActivationsAndHaveTheSameBitsForEveryNumberOfRows(String variant) {
        NativeProducts products = products(variant);
        assertThat(products.form(DType.BF16, REDUCED)).isEqualTo(ActivationForm.BF16);
        for (int length : new int[] {1, 33, 64, 1072}) {
            Tensor weight = Tensors.random(2, DType.BF16, 0, COLUMNS, length);
            Tensor packed = packed(products, weight);
            Tensor x = Tensors.random(1, MOST_ROWS, length);
            Tensor out = Tensors.zeros(MOST_ROWS, COLUMNS);
            float[][] single = new float[MOST_ROWS][];
            try (var session = new CpuSession(2, 2, LatentForm.ABSORBED, products, REDUCED, Optional.empty())) {
                for (int row = 0; row < MOST_ROWS; row++) {
                    Tensor one = Tensors.zeros(1, length);
                    one.segment().copyFrom(x.segment().asSlice(4L * row * length, 4L * length));
                    Tensor result = Tensors.zeros(1, COLUMNS);
                    Calls.compile(session, Calls.contract(one, packed, result)).run(new BatchStep(0));
                    single[row] = Tensors.row(result, 0);
                    for (int n = 0; n < COLUMNS; n++) {
                        double sum = 0;
                        double size = 0;
                        for (int i = 0; i < length; i++) {
                            double product = rounded(Tensors.get(x, (long) row * length + i))
                                    * Tensors.get(weight, (long) n * length + i);
                            sum += product;
                            size += Math.abs(product);
                        }
                        assertThat((double) single[row][n]).isCloseTo(sum, within(1e-5 * size + 1e-30));
                    }
                }
                for (Tensor held : List.of(packed, weight)) {
                    var kernel = Calls.compile(session, Calls.contract(x, held, out));
                    for (int rows = 1; rows <= MOST_ROWS; rows += rows < 36 ? 1 : 17) {
                        x.rows(rows);
                        out.rows(rows);
                        kernel.run(new BatchStep(0));
                        for (int row = 0; row < rows; row++) {
                            assertThat(Tensors.row(out, row)).as("row %d of %d", row, rows).isEqualTo(single[row]);
                        }
                    }
                    x.rows(MOST_ROWS);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"avx512bf16", "amx"})
    void areOfFloatsWhereBitsMustNotDependOnTheMachine(String variant) {
        NativeProducts products = products(variant);
        assertThat(products.form(DType.BF16, new Precision(true, true))).isEqualTo(ActivationForm.F32);
        assertThat(products.form(DType.BF16, new Precision(false, false))).isEqualTo(ActivationForm.F32);
    }

    @ParameterizedTest
    @ValueSource(strings = {"avx512bf16", "amx"})
    void decodePackedRows(String variant) {
        NativeProducts products = products(variant);
        Tensor weight = Tensors.random(2, DType.BF16, 0, COLUMNS, 33);
        var matrix = WeightMatrix.of(products, packed(products, weight), COLUMNS, new int[] {33}, ActivationForm.F32)
                .orElseThrow();
        var scratch = new Scratch();
        matrix.reserve(scratch);
        Tensor out = Tensors.zeros(1, 33);
        for (int row = 0; row < COLUMNS; row++) {
            matrix.widen(0, row, out.segment(), 0, scratch);
            for (int i = 0; i < 33; i++) {
                assertThat(Tensors.get(out, i)).isEqualTo(Tensors.get(weight, row * 33L + i));
            }
        }
    }
}
