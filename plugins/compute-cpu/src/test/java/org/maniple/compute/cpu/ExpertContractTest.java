package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.compute.Kernel;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;

/** Contractions of the rows of experts. */
class ExpertContractTest {

    private static final int SUMMED = 150;
    private static final int COLUMNS = 37;

    private static Tensor weight(DType type, boolean stacked, int slots) {
        int[] shape = {slots, COLUMNS, SUMMED};
        Tensor whole = type == DType.F8_E4M3
                ? Tensors.scaled(2, shape, 64, 128, SUMMED)
                : Tensors.random(2, type, 1, shape);
        return stacked ? Tensors.stacked(whole) : whole;
    }

    @ParameterizedTest
    @CsvSource({"F32,true", "F32,false", "BF16,true", "BF16,false", "F16,true", "F8_E4M3,true", "F8_E4M3,false"})
    void multipliesEachRowWithTheMatrixOfItsSlot(DType type, boolean stacked) {
        PairRows pairs = Pairs.ofSizes(3, 0, 1, 9, 0);
        Tensor x = Tensors.random(1, 13, SUMMED).ragged(pairs);
        Tensor out = Pairs.zeros(pairs, 13, COLUMNS);
        try (var session = new CpuSession(2, 2)) {
            Calls.compile(session, Calls.expertContract(x, weight(type, stacked, 5), out)).run(new BatchStep(0));
        }
        Tensor weight = weight(type, false, 5);
        int[] slots = {0, 0, 0, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3};
        for (int row = 0; row < 13; row++) {
            for (int n = 0; n < COLUMNS; n++) {
                double sum = 0;
                double size = 0;
                for (int k = 0; k < SUMMED; k++) {
                    double product = Tensors.get(x, (long) row * SUMMED + k)
                            * Tensors.weight(weight, (long) slots[row] * COLUMNS + n, k);
                    sum += product;
                    size += Math.abs(product);
                }
                assertThat(Tensors.get(out, (long) row * COLUMNS + n)).isCloseTo(sum, Offset.offset(1e-6 * size));
            }
        }
    }

    /** Alone in its slot or among others, with any number of threads, and as the only matrix of an ordinary contraction. */
    @ParameterizedTest
    @CsvSource({"F32", "BF16", "F16", "F8_E4M3"})
    void givesARowTheSameBitsForEveryNumberOfRowsOfItsSlot(DType type) {
        Tensor weight = weight(type, true, 1);
        Tensor values = Tensors.random(1, 23, SUMMED);
        float[] expected = run(1, values, weight, 23);
        for (int threads = 1; threads <= 3; threads++) {
            for (int rows : new int[] {1, 2, 3, 4, 5, 8, 17}) {
                assertThat(run(threads, values, weight, rows)).as("%d rows, %d threads", rows, threads)
                        .isEqualTo(Arrays.copyOf(expected, rows * COLUMNS));
            }
        }
        Tensor whole = weight(type, false, 1);
        Tensor matrix = Tensor.of(type, new int[] {COLUMNS, SUMMED}, whole.segment());
        Tensor out = Tensors.zeros(23, COLUMNS);
        try (var session = new CpuSession(1, 1)) {
            Calls.compile(session, Calls.contract(values, whole.scales().map(matrix::scaled).orElse(matrix), out))
                    .run(new BatchStep(0));
        }
        assertThat(Tensors.all(out)).isEqualTo(expected);
    }

    private static float[] run(int threads, Tensor values, Tensor weight, int rows) {
        PairRows pairs = Pairs.ofSizes(rows);
        Tensor out = Pairs.zeros(pairs, 23, COLUMNS);
        try (var session = new CpuSession(threads, 2)) {
            Calls.compile(session, Calls.expertContract(Pairs.over(values, pairs), weight, out)).run(new BatchStep(0));
        }
        return Tensors.all(out);
    }

    @Test
    void asksForTheMemoryOfASlotInEveryStep() {
        PairRows pairs = Pairs.ofSizes(0, 1);
        Tensor x = Tensors.random(1, 1, SUMMED).ragged(pairs);
        Tensor weight = weight(DType.F32, true, 2);
        Tensor out = Pairs.zeros(pairs, 1, COLUMNS);
        try (var session = new CpuSession(1, 1)) {
            Kernel kernel = Calls.compile(session, Calls.expertContract(x, weight, out));
            kernel.run(new BatchStep(0));
            float[] before = Tensors.all(out);
            MemorySegment other = Arena.ofAuto().allocate(4L * COLUMNS * SUMMED);
            other.copyFrom(weight.slot(0));
            weight.replace(1, other);
            kernel.run(new BatchStep(0));
            float[] after = Tensors.all(out);
            Pairs.fill(pairs, 1, 0);
            kernel.run(new BatchStep(0));
            assertThat(Tensors.all(out)).isEqualTo(after).isNotEqualTo(before);
        }
    }

    @Test
    void computesNothingWithoutRows() {
        PairRows pairs = Pairs.ofSizes(2, 0);
        Tensor out = Pairs.zeros(pairs, 2, COLUMNS);
        try (var session = new CpuSession(2, 2)) {
            Kernel kernel = Calls.compile(session,
                    Calls.expertContract(Tensors.random(1, 2, SUMMED).ragged(pairs), weight(DType.F32, true, 2), out));
            Pairs.fill(pairs, 0, 0);
            kernel.run(new BatchStep(0));
        }
        Pairs.fill(pairs, 2, 0);
        assertThat(Tensors.all(out)).containsOnly(0f);
    }

    @Test
    void refusesAWeightWithAnotherNumberOfSlots() {
        PairRows pairs = Pairs.ofSizes(1, 1, 1);
        var call = Calls.expertContract(Tensors.zeros(3, SUMMED).ragged(pairs), weight(DType.F32, true, 2),
                Pairs.zeros(pairs, 3, COLUMNS));
        try (var session = new CpuSession(1, 1)) {
            assertThatThrownBy(() -> Calls.compile(session, call))
                    .hasMessageEndingWith("a weight of F32[2, 37, 150] cannot join F32[3, 150] to F32[3, 37] with 3 slots");
        }
    }
}
