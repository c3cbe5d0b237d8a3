package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.ManipleException;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;

/** Contractions with weights of block types have the bits that {@link ActivationForm#INT8} describes, whatever computes them. */
class BlockContractTest {

    private static final int[] ROWS = {1, 2, 3, 5, 6, 7, 16, 17, 20};

    static List<DType> types() {
        return Arrays.stream(DType.values()).filter(DType::blocked).toList();
    }

    @ParameterizedTest
    @MethodSource("types")
    void codesTimesScalesAreTheElements(DType type) {
        BlockUnpacker unpacker = BlockUnpacker.of(type);
        int elements = type.blockElements();
        int runs = elements / unpacker.run();
        MemorySegment blocks = BlockWeights.blocks(new Random(1), type, 50);
        MemorySegment codes = MemorySegment.ofArray(new byte[elements]);
        float[] factors = new float[2 * runs];
        for (int block = 0; block < 50; block++) {
            long at = (long) block * type.blockBytes();
            unpacker.codes(blocks, at, 1, codes, 0);
            unpacker.scales(blocks, at, 1, factors, 0, runs, 1);
            float[] elementsOfBlock = BlockWeights.decoded(type, blocks, at, elements);
            for (int i = 0; i < elements; i++) {
                float product = codes.get(java.lang.foreign.ValueLayout.JAVA_BYTE, i) * factors[i / unpacker.run()];
                float value = unpacker.minima() ? product + factors[runs + i / unpacker.run()] : product;
                assertThat(value).as("element %d of block %d", i, block).isEqualTo(elementsOfBlock[i]);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void haveTheirBitsForEveryNumberOfRowsAndThreads(DType type) {
        for (int length : new int[] {type.blockElements(), 3 * type.blockElements(), 512 + type.blockElements()}) {
            Tensor weight = BlockWeights.random(2, type, BlockRows.whole(length), 71, length);
            Tensor x = Tensors.random(1, 20, length);
            float[][] expected = IntStream.range(0, 20).mapToObj(row -> BlockWeights.product(weight, 0, x, row))
                    .toArray(float[][]::new);
            for (int threads : new int[] {1, 3}) {
                try (var session = new CpuSession(threads, 2)) {
                    Tensor out = Tensors.zeros(20, 71);
                    var kernel = Calls.compile(session, Calls.contract(x, weight, out));
                    for (int rows : ROWS) {
                        x.rows(rows);
                        out.rows(rows);
                        out.segment().fill((byte) 77);
                        kernel.run(new BatchStep(0));
                        for (int row = 0; row < rows; row++) {
                            assertThat(Tensors.row(out, row))
                                    .as("row %d of %d of %d elements, %d threads", row, rows, length, threads)
                                    .isEqualTo(expected[row]);
                        }
                    }
                    x.rows(20);
                }
            }
        }
    }

    /** A rank's part that begins and ends inside blocks, and one of two runs. */
    @ParameterizedTest
    @MethodSource("types")
    void countElementsThatAreNotTheRowsOwnAsZero(DType type) {
        int block = type.blockElements();
        for (BlockRows rows : List.of(new BlockRows(2 * block, List.of(new BlockRows.Run(5, 0, block + 9))),
                new BlockRows(3 * block,
                        List.of(new BlockRows.Run(0, 0, block + 7), new BlockRows.Run(2 * block + 3, block + 7, 11))))) {
            int own = rows.columns();
            Tensor weight = BlockWeights.random(3, type, rows, 37, own);
            Tensor x = Tensors.random(4, 9, own);
            for (int count : new int[] {1, 9}) {
                x.rows(count);
                Tensor out = Tensors.zeros(count, 37);
                try (var session = new CpuSession(2, 2)) {
                    Calls.compile(session, Calls.contract(x, weight, out)).run(new BatchStep(0));
                }
                for (int row = 0; row < count; row++) {
                    assertThat(Tensors.row(out, row)).isEqualTo(BlockWeights.product(weight, 0, x, row, rows));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void multiplyRowsOfExpertsWithTheMatrixOfTheirSlot(DType type) {
        int length = 2 * type.blockElements();
        PairRows pairs = Pairs.ofSizes(3, 0, 1, 19, 0, 8);
        Tensor x = Tensors.random(1, 31, length).ragged(pairs);
        Tensor out = Pairs.zeros(pairs, 31, 37);
        Tensor weight = BlockWeights.stacked(2, type, BlockRows.whole(length), 6, 37, length);
        try (var session = new CpuSession(2, 2)) {
            Calls.compile(session, Calls.expertContract(x, weight, out)).run(new BatchStep(0));
        }
        for (int slot = 0; slot < 6; slot++) {
            for (int row = pairs.start(slot); row < pairs.start(slot + 1); row++) {
                assertThat(Tensors.row(out, row)).as("row %d", row).isEqualTo(BlockWeights.product(weight, slot, x, row));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void sumLeavesByThemselves(DType type) {
        Integer[] ends = {64, 96, 256, 320, 384, 416, 448, 512};
        Tensor weight = BlockWeights.random(2, type, BlockRows.whole(512), 21, 512);
        Tensor x = Tensors.random(1, 18, 512);
        for (int rows : new int[] {1, 18}) {
            x.rows(rows);
            Tensor out = Tensors.zeros(rows, 21);
            try (var session = new CpuSession(2, 2)) {
                Calls.compile(session, Calls.leaves(Calls.contract(x, weight, out), ends)).run(new BatchStep(0));
            }
            for (int row = 0; row < rows; row++) {
                assertThat(Tensors.row(out, row))
                        .isEqualTo(BlockWeights.product(weight, 0, x, row,
                                Arrays.stream(ends).mapToInt(Integer::intValue).toArray()));
            }
        }
    }

    @Test
    void refuseLeavesThatEndInsideABlockOfActivations() {
        Tensor weight = BlockWeights.random(2, DType.Q8_0, BlockRows.whole(64), 3, 64);
        var call = Calls.leaves(Calls.contract(Tensors.zeros(1, 64), weight, Tensors.zeros(1, 3)), 16, 64);
        try (var session = new CpuSession(1, 1)) {
            assertThatThrownBy(() -> Calls.compile(session, call)).isInstanceOf(ManipleException.class)
                    .hasMessage(
                            "numerics [exact]: sums over rows of Q8_0[3, 64] are cut at [16, 64], not at multiples of 32 elements "
                                    + "as int8 activations need it; choose activation-dtype f32, or numerics fast");
        }
    }

    /** With {@code activation-dtype: f32}: as if the weights were stored as the floats that they stand for. */
    @ParameterizedTest
    @MethodSource("types")
    void multiplyFloatsWithDecodedElements(DType type) {
        int length = 2 * type.blockElements();
        BlockRows rows = new BlockRows(length, List.of(new BlockRows.Run(3, 0, length - 7)));
        Tensor weight = BlockWeights.random(2, type, rows, 21, length - 7);
        float[] decoded = BlockWeights.decoded(type, weight.segment(), 0, 21 * length);
        float[] own = new float[21 * (length - 7)];
        for (int n = 0; n < 21; n++) {
            System.arraycopy(decoded, n * length + 3, own, n * (length - 7), length - 7);
        }
        Tensor x = Tensors.random(1, 5, length - 7);
        Tensor out = Tensors.zeros(5, 21);
        Tensor expected = Tensors.zeros(5, 21);
        try (var session = new CpuSession(2, 2, LatentForm.ABSORBED, new VectorProducts(), new Precision(false, false),
                Optional.empty())) {
            Calls.compile(session, Calls.contract(x, weight, out)).run(new BatchStep(0));
            Calls.compile(session, Calls.contract(x, Tensors.of(new int[] {21, length - 7}, own), expected))
                    .run(new BatchStep(0));
        }
        assertThat(Tensors.all(out)).isEqualTo(Tensors.all(expected));
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"Q8_0", "Q4_K", "Q6_K"})
    void giveNothingForRowsOfZeros(DType type) {
        Tensor weight = BlockWeights.random(2, type, BlockRows.whole(512), 21, 512);
        Tensor out = Tensors.random(1, 2, 21);
        try (var session = new CpuSession(1, 1)) {
            Calls.compile(session, Calls.contract(Tensors.zeros(2, 512), weight, out)).run(new BatchStep(0));
        }
        assertThat(Tensors.all(out)).containsOnly(0f);
    }
}
