package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;
import org.maniple.api.tensor.WeightLayout;

/** Weights that the Vector API holds in a layout of its own give the same bits as those that are held as they are stored. */
class InterleavedContractTest {

    private static final Precision REDUCED = new Precision(true, false);

    /** Memory with what the layout that is asked for makes of some rows; it had something else in it. */
    private static MemorySegment pack(WeightLayout layout, MemorySegment stored, int rows) {
        MemorySegment memory = Arena.ofAuto().allocate(layout.bytes(rows), 64);
        memory.fill((byte) 77);
        layout.pack(stored, rows, memory);
        return memory;
    }

    private static WeightLayout layout(DType type, int rows, BlockRows columns) {
        return new VectorProducts()
                .layout(new WeightLayout.Weight(type, rows, columns, List.of(WeightLayout.Use.CONTRACT)), REDUCED).orElseThrow();
    }

    static Tensor interleaved(Tensor stored, int rows) {
        BlockRows columns = stored.blockRows().orElseThrow();
        WeightLayout layout = layout(stored.dtype(), rows, columns);
        return Tensor.packed(stored.dtype(), Tensors.shape(stored), columns, layout, pack(layout, stored.segment(), rows));
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"Q8_0", "Q4_0", "Q4_1"})
    void haveTheirBitsForEveryNumberOfRowsAndThreads(DType type) {
        BlockRows part = new BlockRows(96, List.of(new BlockRows.Run(5, 0, 40), new BlockRows.Run(64, 40, 9)));
        for (BlockRows rows : List.of(BlockRows.whole(32), BlockRows.whole(2080), part)) {
            int own = rows.columns();
            Tensor stored = BlockWeights.random(2, type, rows, 71, own);
            Tensor weight = interleaved(stored, 71);
            Tensor x = Tensors.random(1, 42, own);
            for (int threads : new int[] {1, 3}) {
                try (var session = new CpuSession(threads, 2)) {
                    Tensor out = Tensors.zeros(42, 71);
                    var kernel = Calls.compile(session, Calls.contract(x, weight, out));
                    for (int count : new int[] {1, 2, 5, 9, 16, 33, 42}) {
                        x.rows(count);
                        out.rows(count);
                        out.segment().fill((byte) 77);
                        kernel.run(new BatchStep(0));
                        for (int row = 0; row < count; row++) {
                            assertThat(Tensors.row(out, row)).as("row %d of %d of %d elements", row, count, own)
                                    .isEqualTo(BlockWeights.product(stored, 0, x, row, rows));
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"Q8_0,6", "Q4_0,6", "Q4_1,6", "Q8_0,18", "Q4_1,18"})
    void sumLeavesByThemselves(DType type, int rows) {
        Integer[] ends = {64, 96, 256, 320, 384, 416, 448, 512};
        Tensor stored = BlockWeights.random(2, type, BlockRows.whole(512), 21, 512);
        Tensor x = Tensors.random(1, rows, 512);
        Tensor out = Tensors.zeros(rows, 21);
        try (var session = new CpuSession(2, 2)) {
            Calls.compile(session, Calls.leaves(Calls.contract(x, interleaved(stored, 21), out), ends)).run(new BatchStep(0));
        }
        for (int row = 0; row < rows; row++) {
            assertThat(Tensors.row(out, row)).isEqualTo(
                    BlockWeights.product(stored, 0, x, row, Arrays.stream(ends).mapToInt(Integer::intValue).toArray()));
        }
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"Q8_0", "Q4_0", "Q4_1"})
    void multiplyRowsOfExpertsWithTheMatrixOfTheirSlot(DType type) {
        PairRows pairs = Pairs.ofSizes(3, 0, 22);
        Tensor x = Tensors.random(1, 25, 64).ragged(pairs);
        Tensor out = Pairs.zeros(pairs, 25, 37);
        Tensor stored = BlockWeights.stacked(2, type, BlockRows.whole(64), 3, 37, 64);
        WeightLayout layout = layout(type, 37, BlockRows.whole(64));
        var slots = new ArrayList<MemorySegment>();
        for (int slot = 0; slot < 3; slot++) {
            slots.add(pack(layout, stored.slot(slot), 37));
        }
        Tensor weight = Tensor.stacked(type, new int[] {3, 37, 64}, BlockRows.whole(64), Optional.of(layout), slots);
        try (var session = new CpuSession(2, 2)) {
            Calls.compile(session, Calls.expertContract(x, weight, out)).run(new BatchStep(0));
        }
        for (int slot = 0; slot < 3; slot++) {
            for (int row = pairs.start(slot); row < pairs.start(slot + 1); row++) {
                assertThat(Tensors.row(out, row)).as("row %d", row).isEqualTo(BlockWeights.product(stored, slot, x, row));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"Q8_0", "Q4_0", "Q4_1"})
    void areLookedUpAsFloats(DType type) {
        Tensor stored = BlockWeights.random(2, type, BlockRows.whole(64), 19, 64);
        Tensor out = Tensors.zeros(2, 64);
        try (var session = new CpuSession(1, 1)) {
            Calls.compile(session, Calls.embed(Tensors.ids(17, 3), interleaved(stored, 19), out, 19, UnitList.range(0, 19)))
                    .run(new BatchStep(0));
        }
        float[] decoded = BlockWeights.decoded(type, stored.segment(), 0, 19 * 64);
        assertThat(Tensors.row(out, 0)).isEqualTo(Arrays.copyOfRange(decoded, 17 * 64, 18 * 64));
        assertThat(Tensors.row(out, 1)).isEqualTo(Arrays.copyOfRange(decoded, 3 * 64, 4 * 64));
    }

    /** Sums of a block are as large as they can be: codes of -128 or -8 times activations of 127, which must not leave their shorts. */
    @ParameterizedTest
    @CsvSource({"Q8_0,80", "Q4_0,00", "Q4_0,FF", "Q4_1,FF"})
    void areMultipliedExactlyWhereSumsAreGreatest(DType type, String code) {
        Tensor random = BlockWeights.random(2, type, BlockRows.whole(64), 32, 64);
        MemorySegment memory = Arena.ofAuto().allocate(random.segment().byteSize(), 64).copyFrom(random.segment());
        int codes = type == DType.Q8_0 ? 32 : 16;
        for (long end = type.blockBytes(); end <= memory.byteSize(); end += type.blockBytes()) {
            memory.asSlice(end - codes, codes).fill((byte) Integer.parseInt(code, 16));
        }
        Tensor stored = Tensor.of(type, new int[] {32, 64}, memory);
        Tensor x = Tensors.zeros(2, 64);
        for (int i = 0; i < 64; i++) {
            x.segment().setAtIndex(JAVA_FLOAT_UNALIGNED, i, 3);
            x.segment().setAtIndex(JAVA_FLOAT_UNALIGNED, 64 + i, -3);
        }
        Tensor out = Tensors.zeros(2, 32);
        try (var session = new CpuSession(1, 1)) {
            Calls.compile(session, Calls.contract(x, interleaved(stored, 32), out)).run(new BatchStep(0));
        }
        for (int row = 0; row < 2; row++) {
            assertThat(Tensors.row(out, row)).isEqualTo(BlockWeights.product(stored, 0, x, row));
        }
    }

    @Test
    void areStoredAsTheyAreIfFloatsAreMultiplied() {
        var weight = new WeightLayout.Weight(DType.Q4_0, 16, BlockRows.whole(32), List.of(WeightLayout.Use.CONTRACT));
        assertThat(new VectorProducts().layout(weight, new Precision(false, false))).isEmpty();
    }

    /** Of each four bytes of codes those of 16 rows, and behind all codes for each block the scales of 16 rows. */
    @Test
    void holdWhatBelongsToSixteenRowsTogether() {
        Tensor stored = BlockWeights.random(2, DType.Q4_0, BlockRows.whole(64), 18, 64);
        MemorySegment packed = interleaved(stored, 18).segment();
        assertThat(packed.byteSize()).isEqualTo(2 * 2 * (64 + 256));
        long second = 2 * (64 + 256);
        long lastBlockOfRow17 = (17 * 2 + 1) * 18L;
        float scale = Float.float16ToFloat(
                stored.segment().get(java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED, lastBlockOfRow17));
        assertThat(packed.get(JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.nativeOrder()), second + 2 * 256 + 64 + 4))
                .isEqualTo(scale);
        assertThat(packed.get(java.lang.foreign.ValueLayout.JAVA_BYTE, second + 256 + 64 + 4 + 3))
                .isEqualTo(stored.segment().get(java.lang.foreign.ValueLayout.JAVA_BYTE, lastBlockOfRow17 + 2 + 7));
    }
}
