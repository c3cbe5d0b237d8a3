package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.BlockScales;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;

/** Sums that are shared by ranks at the ends of leaves, and added as a tree, have the bits of one rank's sum. */
class LeavesTest {

    private static final int COLUMNS = 19;
    private static final int ROWS = 6;

    /** Where the eight leaves of a sum end: of multiples of the partial sums, and of uneven lengths. */
    private static final int[] EVEN = {64, 128, 192, 256, 320, 384, 448, 512};
    private static final int[] UNEVEN = {40, 77, 90, 140, 201, 230, 270, 301};

    @ParameterizedTest
    @CsvSource({"F32,2", "F32,4", "F32,8", "BF16,2", "BF16,4", "F16,4", "F8_E4M3,2", "F8_E4M3,4", "F8_E4M3,8"})
    void contractionsOfPartsMakeTheWhole(DType type, int ranks) {
        for (int[] ends : List.of(EVEN, UNEVEN)) {
            Tensor x = Tensors.random(1, ROWS, ends[7]);
            Tensor weight = weight(type, ends[7]);
            float[] whole = contract(1, x, weight, ends);
            assertThat(contract(3, x, weight, ends)).isEqualTo(whole);
            var parts = IntStream.range(0, ranks).mapToObj(rank -> {
                int[] leaves = leaves(ends, rank, ranks);
                int from = start(ends, rank, ranks);
                int to = from + leaves[leaves.length - 1];
                return contract(1, slice(x, from, to), slice(weight, from, to), leaves);
            }).toList();
            assertThat(tree(parts)).isEqualTo(whole);
        }
    }

    private static Tensor weight(DType type, int summed) {
        return type == DType.F8_E4M3
                ? Tensors.scaled(2, new int[] {COLUMNS, summed}, 128, 256, summed)
                : Tensors.random(2, type, 0, COLUMNS, summed);
    }

    private static float[] contract(int threads, Tensor x, Tensor weight, int[] leaves) {
        Tensor out = Tensors.zeros(x.rows(), COLUMNS);
        return run(threads, Calls.contract(x, weight, out), leaves);
    }

    private static float[] run(int threads, OpCall call, int[] leaves) {
        try (var session = new CpuSession(threads, 2)) {
            Calls.compile(session, Calls.leaves(call, Arrays.stream(leaves).boxed().toArray(Integer[]::new)))
                    .run(new BatchStep(0));
        }
        return Tensors.all(call.output(0));
    }

    private static int start(int[] ends, int rank, int ranks) {
        return rank == 0 ? 0 : ends[rank * (8 / ranks) - 1];
    }

    private static int[] leaves(int[] ends, int rank, int ranks) {
        int each = 8 / ranks;
        int start = start(ends, rank, ranks);
        return Arrays.stream(ends, rank * each, (rank + 1) * each).map(end -> end - start).toArray();
    }

    private static float[] tree(List<float[]> parts) {
        List<float[]> sums = parts;
        while (sums.size() > 1) {
            List<float[]> before = sums;
            sums = IntStream.range(0, before.size() / 2).mapToObj(i -> {
                float[] sum = before.get(2 * i).clone();
                for (int j = 0; j < sum.length; j++) {
                    sum[j] += before.get(2 * i + 1)[j];
                }
                return sum;
            }).toList();
        }
        return sums.getFirst();
    }

    /** Some columns of a matrix, with the factors of their blocks. */
    private static Tensor slice(Tensor tensor, int from, int to) {
        int rows = tensor.extent(0);
        int bytes = tensor.dtype().bytes();
        MemorySegment memory = Arena.ofAuto().allocate((long) rows * (to - from) * bytes);
        for (int row = 0; row < rows; row++) {
            MemorySegment.copy(tensor.segment(), ((long) row * tensor.width() + from) * bytes, memory,
                    (long) row * (to - from) * bytes, (long) (to - from) * bytes);
        }
        Tensor slice = Tensor.of(tensor.dtype(), new int[] {rows, to - from}, memory);
        return tensor.scales().map(scales -> slice.scaled(slice(scales, from, to))).orElse(slice);
    }

    private static BlockScales slice(BlockScales scales, int from, int to) {
        int first = 0;
        while (scales.ends().get(first) <= from) {
            first++;
        }
        int last = first;
        while (scales.ends().get(last) < to) {
            last++;
        }
        var ends = scales.ends().subList(first, last + 1).stream().map(end -> Math.min(end, to) - from).toList();
        return new BlockScales(ends, slice(scales.factors(), first, last + 1));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 8})
    void sumsOfSquaresOfPartsMakeTheWhole(int ranks) {
        for (int[] ends : List.of(EVEN, UNEVEN)) {
            Tensor x = Tensors.random(1, ROWS, ends[7]);
            float[] whole = run(2, Calls.sumSquares(x, Tensors.zeros(ROWS)), ends);
            var parts = IntStream.range(0, ranks).mapToObj(rank -> {
                int[] leaves = leaves(ends, rank, ranks);
                int from = start(ends, rank, ranks);
                return run(1, Calls.sumSquares(slice(x, from, from + leaves[leaves.length - 1]), Tensors.zeros(ROWS)), leaves);
            }).toList();
            assertThat(tree(parts)).isEqualTo(whole);
        }
    }

    /** A fused norm sums as the one whose halves are computed by themselves. */
    @Test
    void normsSumByLeavesToo() {
        Tensor x = Tensors.random(1, ROWS, 301);
        Tensor squares = Tensors.zeros(ROWS);
        OpCall sums = Calls.leaves(Calls.sumSquares(x, squares), Arrays.stream(UNEVEN).boxed().toArray(Integer[]::new));
        OpCall norm = Calls.normalize(x, squares, Tensors.random(2, 301), Tensors.zeros(ROWS, 301), 1e-6f, 0);
        float[] expected = run(1, Calls.sumSquares(x, Tensors.zeros(ROWS)), UNEVEN);
        try (var session = new CpuSession(1, 1)) {
            var fused = session.compile(new ComputeSession.Region(List.of(sums, norm), List.of(false, true)), 0)
                    .orElseThrow();
            assertThat(fused.covers()).isEqualTo(2);
            fused.kernel().run(new BatchStep(0));
        }
        assertThat(Tensors.all(squares)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"BF16", "F8_E4M3"})
    void rowsOfExpertsSumByLeavesToo(DType type) {
        Tensor x = Tensors.random(1, ROWS, 301);
        Tensor weight = weight(type, 301);
        Tensor experts = Tensor.of(type, new int[] {1, COLUMNS, 301}, weight.segment());
        PairRows pairs = Pairs.ofSizes(ROWS);
        Tensor out = Pairs.zeros(pairs, ROWS, COLUMNS);
        float[] actual = run(2,
                Calls.expertContract(Pairs.over(x, pairs), weight.scales().map(experts::scaled).orElse(experts), out),
                UNEVEN);
        assertThat(actual).isEqualTo(contract(1, x, weight, UNEVEN));
    }

    @Test
    void refusesLeavesThatDoNotCutTheSum() {
        OpCall call = Calls.contract(Tensors.zeros(1, 9), Tensors.zeros(2, 9), Tensors.zeros(1, 2));
        assertThatThrownBy(() -> run(1, call, new int[] {3, 6, 9})).hasMessageContaining("power of two");
        assertThatThrownBy(() -> run(1, call, new int[] {3, 8})).hasMessageContaining("leaves that end at [3, 8]");
    }
}
