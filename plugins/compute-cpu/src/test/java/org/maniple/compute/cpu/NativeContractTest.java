package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.WeightLayout;

/** Contractions with packed weights have, on every instruction set, the bits that {@link ActivationForm#INT8} describes. */
class NativeContractTest {

    private static final int MOST_ROWS = 40;
    private static final Precision REDUCED = new Precision(true, false);

    static Stream<Arguments> kernels() {
        return Stream.of("avx2", "avx512vnni", "amx", "neon", "dotprod")
                .flatMap(variant -> BlockContractTest.types().stream().map(type -> Arguments.of(variant, type)));
    }

    private static NativeKernels kernels(String variant) {
        return switch (NativeLibrary.load()) {
            case NativeLibrary.Missing(String reason) -> abort("no native kernels: " + reason);
            case NativeLibrary.Loaded(NativeLibrary library) -> {
                assumeTrue(library.variants().contains(variant),
                        () -> "this processor cannot run " + variant + "; it can run " + library.variants());
                yield new NativeKernels(library, variant);
            }
        };
    }

    private static NativeProducts products(String variant) {
        return new NativeProducts(kernels(variant), Optional.empty(), new VectorProducts(), CheckMemory.none(),
                message -> assertThat(message).isNull());
    }

    private static CpuSession session(Products products, int threads) {
        return new CpuSession(threads, 2, LatentForm.ABSORBED, products, REDUCED, Optional.empty());
    }

    private static WeightLayout layout(Products products, Tensor weight, int rows) {
        var asked = new WeightLayout.Weight(weight.dtype(), rows, weight.blockRows().orElseThrow(),
                List.of(WeightLayout.Use.CONTRACT));
        return products.layout(asked, REDUCED).orElseThrow();
    }

    private static MemorySegment packed(WeightLayout layout, MemorySegment stored, int rows) {
        MemorySegment memory = Arena.ofAuto().allocate(layout.bytes(rows), 64);
        memory.fill((byte) 77);
        layout.pack(stored, rows, memory);
        return memory;
    }

    private static Tensor packed(Products products, Tensor weight, int... shape) {
        WeightLayout layout = layout(products, weight, weight.extent(0));
        return Tensor.packed(weight.dtype(), shape, weight.blockRows().orElseThrow(), layout,
                packed(layout, weight.segment(), weight.extent(0)));
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void haveTheirBitsForEveryNumberOfRows(String variant, DType type) {
        NativeProducts products = products(variant);
        for (int length : new int[] {type.blockElements(), 3 * type.blockElements(), 512 + type.blockElements()}) {
            Tensor weight = BlockWeights.random(2, type, BlockRows.whole(length), 37, length);
            haveTheirBits(products, weight, Tensors.random(1, MOST_ROWS, length));
        }
    }

    /** Codes of all bits set or none, {@code -128} among those of Q8_0, and activations that all become 127 or -127. */
    @ParameterizedTest
    @MethodSource("kernels")
    void doNotOverflow(String variant, DType type) {
        NativeProducts products = products(variant);
        int length = 2 * type.blockElements();
        MemorySegment memory = Arena.ofAuto().allocate(37 * type.bytes(length), 64);
        memory.copyFrom(BlockWeights.random(2, type, BlockRows.whole(length), 37, length).segment());
        for (long block = 0; block < memory.byteSize() / type.blockBytes(); block++) {
            for (int i = 0; i < type.blockBytes(); i++) {
                if (!BlockWeights.isScale(type, i)) {
                    byte code = block % 2 == 0
                            ? (byte) (type == DType.Q8_0 ? 0x80 : 0xff)
                            : (byte) (type == DType.Q8_0 ? 0x7f : 0);
                    memory.set(JAVA_BYTE, block * type.blockBytes() + i, code);
                }
            }
        }
        Tensor x = Tensors.zeros(MOST_ROWS, length);
        for (int i = 0; i < MOST_ROWS * length; i++) {
            x.segment().set(JAVA_FLOAT_UNALIGNED, 4L * i, i / 32 % 3 == 0 ? -3.5f : 3.5f);
        }
        haveTheirBits(products, Tensor.blocked(type, new int[] {37, length}, BlockRows.whole(length), memory), x);
    }

    private static void haveTheirBits(Products products, Tensor weight, Tensor x) {
        float[][] expected = IntStream.range(0, MOST_ROWS).mapToObj(row -> BlockWeights.product(weight, 0, x, row))
                .toArray(float[][]::new);
        Tensor packed = packed(products, weight, weight.extent(0), weight.extent(1));
        for (int threads : new int[] {1, 3}) {
            try (var session = session(products, threads)) {
                Tensor out = Tensors.zeros(MOST_ROWS, weight.extent(0));
                var kernel = Calls.compile(session, Calls.contract(x, packed, out));
                for (int rows = 1; rows <= MOST_ROWS; rows += rows < 20 ? 1 : 5) {
                    x.rows(rows);
                    out.rows(rows);
                    out.segment().fill((byte) 77);
                    kernel.run(new BatchStep(0));
                    for (int row = 0; row < rows; row++) {
                        assertThat(Tensors.row(out, row)).as("row %d of %d, %d threads", row, rows, threads)
                                .isEqualTo(expected[row]);
                    }
                    MemorySegment behind = out.segment().asSlice(4L * rows * weight.extent(0));
                    assertThat(behind.mismatch(Arena.ofAuto().allocate(Math.max(1, behind.byteSize())).fill((byte) 77)
                            .asSlice(0, behind.byteSize()))).as("what lies behind the results").isEqualTo(-1);
                }
                x.rows(MOST_ROWS);
            }
        }
    }

    /** A rank's part that begins and ends inside blocks, and one of two runs. */
    @ParameterizedTest
    @MethodSource("kernels")
    void countElementsThatAreNotTheRowsOwnAsZero(String variant, DType type) {
        NativeProducts products = products(variant);
        int block = type.blockElements();
        for (BlockRows rows : List.of(new BlockRows(2 * block, List.of(new BlockRows.Run(5, 0, block + 9))),
                new BlockRows(3 * block,
                        List.of(new BlockRows.Run(0, 0, block + 7), new BlockRows.Run(2 * block + 3, block + 7, 11))))) {
            int own = rows.columns();
            Tensor weight = BlockWeights.random(3, type, rows, 37, own);
            Tensor packed = packed(products, weight, 37, own);
            Tensor x = Tensors.random(4, 9, own);
            Tensor out = Tensors.zeros(9, 37);
            try (var session = session(products, 2)) {
                Calls.compile(session, Calls.contract(x, packed, out)).run(new BatchStep(0));
            }
            for (int row = 0; row < 9; row++) {
                assertThat(Tensors.row(out, row)).isEqualTo(BlockWeights.product(weight, 0, x, row, rows));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void multiplyRowsOfExpertsWithTheMatrixOfTheirSlot(String variant, DType type) {
        NativeProducts products = products(variant);
        int length = 2 * type.blockElements();
        PairRows pairs = Pairs.ofSizes(3, 0, 1, 19, 0, 8);
        Tensor x = Tensors.random(1, 31, length).ragged(pairs);
        Tensor out = Pairs.zeros(pairs, 31, 37);
        Tensor weight = BlockWeights.stacked(2, type, BlockRows.whole(length), 6, 37, length);
        WeightLayout layout = layout(products, weight, 37);
        var slots = new ArrayList<MemorySegment>();
        for (int slot = 0; slot < 6; slot++) {
            slots.add(packed(layout, weight.slot(slot), 37));
        }
        Tensor packed = Tensor.stacked(type, new int[] {6, 37, length}, BlockRows.whole(length), Optional.of(layout), slots);
        try (var session = session(products, 2)) {
            Calls.compile(session, Calls.expertContract(x, packed, out)).run(new BatchStep(0));
        }
        for (int slot = 0; slot < 6; slot++) {
            for (int row = pairs.start(slot); row < pairs.start(slot + 1); row++) {
                assertThat(Tensors.row(out, row)).as("row %d", row).isEqualTo(BlockWeights.product(weight, slot, x, row));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void sumLeavesByThemselves(String variant, DType type) {
        NativeProducts products = products(variant);
        Integer[] ends = {64, 96, 256, 320, 384, 416, 448, 512};
        Tensor weight = BlockWeights.random(2, type, BlockRows.whole(512), 21, 512);
        Tensor x = Tensors.random(1, 18, 512);
        Tensor out = Tensors.zeros(18, 21);
        try (var session = session(products, 2)) {
            Calls.compile(session, Calls.leaves(Calls.contract(x, packed(products, weight, 21, 512), out), ends))
                    .run(new BatchStep(0));
        }
        for (int row = 0; row < 18; row++) {
            assertThat(Tensors.row(out, row))
                    .isEqualTo(
                            BlockWeights.product(weight, 0, x, row, Arrays.stream(ends).mapToInt(Integer::intValue).toArray()));
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void decodePackedRowsToTheElementsThatWereStored(String variant, DType type) {
        NativeProducts products = products(variant);
        int block = type.blockElements();
        var rows = new BlockRows(2 * block, List.of(new BlockRows.Run(5, 0, block + 9)));
        Tensor weight = BlockWeights.random(3, type, rows, 37, block + 9);
        var matrix = WeightMatrix
                .of(products, packed(products, weight, 37, block + 9), 37, new int[] {block + 9}, ActivationForm.F32)
                .orElseThrow();
        var scratch = new Scratch();
        matrix.reserve(scratch);
        Tensor out = Tensors.zeros(1, block + 9);
        for (int row = 0; row < 37; row++) {
            matrix.widen(0, row, out.segment(), 0, scratch);
            float[] held = BlockWeights.decoded(type, weight.segment(), row * type.bytes(2 * block), 2 * block);
            assertThat(Tensors.row(out, 0)).isEqualTo(Arrays.copyOfRange(held, 5, 14 + block));
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void areNotUsedForATypeWhoseResultsAreNotThoseOfTheSecondOpinion(String variant, DType type) {
        var messages = new ArrayList<String>();
        var wrong = new NativeProducts(kernels(variant), Optional.empty(), new OtherProducts(), CheckMemory.none(),
                messages::add);
        var asked = new WeightLayout.Weight(type, 16, BlockRows.whole(256), List.of(WeightLayout.Use.CONTRACT));
        assertThat(wrong.layout(asked, REDUCED)).isEmpty();
        assertThat(messages).singleElement().asString()
                .startsWith("cpu: the " + variant + " kernels for " + type.name().toLowerCase(java.util.Locale.ROOT)
                        + " disagree with ");
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void refuseMemoryThatIsTooSmall(String variant, DType type) {
        NativeProducts products = products(variant);
        Tensor weight = BlockWeights.random(2, type, BlockRows.whole(512), 21, 512);
        WeightLayout layout = layout(products, weight, 21);
        MemorySegment small = Arena.ofAuto().allocate(layout.bytes(21) - 1);
        assertThatThrownBy(() -> layout.pack(weight.segment(), 21, small)).isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessageStartingWith("memory for packed rows: bytes 0 to ");
        assertThatThrownBy(() -> layout.pack(weight.segment(), 22, Arena.ofAuto().allocate(layout.bytes(22))))
                .isInstanceOf(IndexOutOfBoundsException.class).hasMessageStartingWith("rows to pack: bytes 0 to ");
    }
}
