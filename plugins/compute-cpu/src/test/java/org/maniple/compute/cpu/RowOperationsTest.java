package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

/** Lookup, norms, rotation, cache, selection. */
class RowOperationsTest {

    private static final Percentage CLOSE = Percentage.withPercentage(1e-3);

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16", "F16"})
    void looksUpOwnRowsAndCountsOthersZero(DType type) {
        Tensor weight = Tensors.random(1, type, 1, 3, 21);
        Tensor out = Tensors.random(2, 4, 21);
        try (var session = new CpuSession(1, 1)) {
            Calls.compile(session, Calls.embed(Tensors.ids(7, 4, 2, 5), weight, out, 9, UnitList.of(2, 4, 5)))
                    .run(new BatchStep(0));
        }
        assertThat(Tensors.row(out, 0)).containsOnly(0f);
        for (int i = 0; i < 21; i++) {
            assertThat(Tensors.row(out, 1)[i]).isEqualTo((float) Tensors.get(weight, 21 + i));
            assertThat(Tensors.row(out, 2)[i]).isEqualTo((float) Tensors.get(weight, i));
            assertThat(Tensors.row(out, 3)[i]).isEqualTo((float) Tensors.get(weight, 42 + i));
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1", "1,15", "3,16", "5,100", "9,577"})
    void sumsSquares(int rows, int length) {
        Tensor x = Tensors.random(1, rows, length);
        Tensor out = Tensors.zeros(rows);
        try (var session = new CpuSession(2, 2)) {
            Calls.compile(session, Calls.sumSquares(x, out)).run(new BatchStep(0));
        }
        for (int row = 0; row < rows; row++) {
            assertThat(Tensors.get(out, row)).isCloseTo(squares(x, row, length), CLOSE);
        }
    }

    private static double squares(Tensor x, int group, int length) {
        double sum = 0;
        for (int i = 0; i < length; i++) {
            sum += Math.pow(Tensors.get(x, (long) group * length + i), 2);
        }
        return sum;
    }

    /** Of whole rows and of heads, with weights of each type. */
    @ParameterizedTest
    @CsvSource({"F32,0,0", "F32,3,1", "BF16,1,0", "F16,1,1"})
    void normalizesEachHead(DType type, int misalignment, float offset) {
        Tensor x = Tensors.random(1, 5, 3, 50);
        Tensor squares = Tensors.zeros(5, 3);
        Tensor weight = Tensors.random(2, type, misalignment, 50);
        Tensor out = Tensors.zeros(5, 3, 50);
        try (var session = new CpuSession(2, 2)) {
            Calls.compile(session, Calls.sumSquares(x, squares)).run(new BatchStep(0));
            Calls.compile(session, Calls.normalize(x, squares, weight, out, 1e-6f, offset)).run(new BatchStep(0));
        }
        for (int group = 0; group < 15; group++) {
            double factor = 1 / Math.sqrt(squares(x, group, 50) / 50 + 1e-6);
            for (int i = 0; i < 50; i++) {
                double expected = Tensors.get(x, group * 50L + i) * factor * (offset + Tensors.get(weight, i));
                assertThat(Tensors.get(out, group * 50L + i)).isCloseTo(expected,
                        Offset.offset(1e-6 + 1e-5 * Math.abs(expected)));
            }
        }
    }

    @Test
    void givesNormsTheSameBitsForEveryNumberOfRowsAndThreads() {
        int length = 333;
        Tensor weight = Tensors.random(2, DType.BF16, 1, length);
        Tensor x = Tensors.random(1, 64, length);
        float[] expected = norm(1, 64, x, weight);
        for (int threads = 1; threads <= 3; threads++) {
            for (int rows : new int[] {1, 2, 3, 5, 8, 17, 64}) {
                assertThat(norm(threads, rows, x, weight)).isEqualTo(Arrays.copyOf(expected, rows * length));
            }
        }
    }

    private static float[] norm(int threads, int rows, Tensor x, Tensor weight) {
        Tensor squares = Tensors.zeros(64);
        Tensor out = Tensors.zeros(64, x.width());
        for (Tensor tensor : List.of(x, squares, out)) {
            tensor.rows(rows);
        }
        try (var session = new CpuSession(threads, 2)) {
            Calls.compile(session, Calls.sumSquares(x, squares)).run(new BatchStep(0));
            Calls.compile(session, Calls.normalize(x, squares, weight, out, 1e-5f, 0)).run(new BatchStep(0));
        }
        return Tensors.all(out);
    }

    @ParameterizedTest
    @CsvSource({"false,8,8", "true,8,8", "false,10,16", "true,3,11", "false,0,4"})
    void turnsPairs(boolean interleaved, int turned, int length) {
        int pairs = turned / 2;
        List<Double> frequencies = IntStream.range(0, pairs).mapToObj(i -> Math.pow(10_000, -(double) i / pairs)).toList();
        var op = new BuiltinOp.Rope(frequencies, 1.25, interleaved);
        Tensor x = Tensors.random(1, 4, 3, length);
        Tensor out = Tensors.zeros(4, 3, length);
        BatchStep step = new BatchStep(5000).span(70_000, 3).span(5, 1);
        try (var session = new CpuSession(1, 1)) {
            Calls.compile(session, Calls.rope(op, x, out)).run(step);
        }
        for (int row = 0; row < 4; row++) {
            for (int head = 0; head < 3; head++) {
                long at = (row * 3L + head) * length;
                for (int i = 2 * pairs; i < length; i++) {
                    assertThat(Tensors.get(out, at + i)).isEqualTo(Tensors.get(x, at + i));
                }
                for (int i = 0; i < pairs; i++) {
                    long first = at + (interleaved ? 2L * i : i);
                    long second = interleaved ? first + 1 : first + pairs;
                    double cos = Math.cos(step.position(row) * frequencies.get(i)) * 1.25;
                    double sin = Math.sin(step.position(row) * frequencies.get(i)) * 1.25;
                    double a = Tensors.get(x, first);
                    double b = Tensors.get(x, second);
                    assertThat(Tensors.get(out, first)).isCloseTo(a * cos - b * sin, Offset.offset(2e-6));
                    assertThat(Tensors.get(out, second)).isCloseTo(b * cos + a * sin, Offset.offset(2e-6));
                }
            }
        }
    }

    @Test
    void turnsByThePositionsOfEachStepAnew() {
        var op = new BuiltinOp.Rope(List.of(0.5), 1, false);
        Tensor x = Tensors.of(new int[] {1, 1, 2}, 1, 0);
        Tensor out = Tensors.zeros(1, 1, 2);
        try (var session = new CpuSession(1, 1)) {
            var kernel = Calls.compile(session, Calls.rope(op, x, out));
            for (int position : new int[] {3, 3, 0, 9}) {
                kernel.run(new BatchStep(9).span(position, 1));
                assertThat(Tensors.all(out)).containsExactly((float) Math.cos(position * 0.5), (float) Math.sin(position * 0.5));
            }
        }
    }

    @Test
    void storesRowsAtTheSlotsOfTheirPositions() {
        Tensor x = Tensors.random(1, 5, 2, 3);
        Tensor state = Tensors.zeros(6 * 16, 2, 3);
        BatchStep step = new BatchStep(6).span(14, 4).span(20, 1);
        try (var session = new CpuSession(1, 1)) {
            Calls.compile(session, Calls.cache(x, state)).run(step);
        }
        for (int row = 0; row < 5; row++) {
            assertThat(Tensors.row(state, step.slot(step.spanOf(row), step.position(row)))).isEqualTo(Tensors.row(x, row));
        }
        assertThat(IntStream.range(0, 6 * 16 * 6).filter(i -> Tensors.get(state, i) != 0)).hasSize(30);
    }

    @Test
    void picksTheSelectedRows() {
        Tensor x = Tensors.random(1, 6, 5);
        Tensor out = Tensors.zeros(4, 5);
        out.rows(2);
        try (var session = new CpuSession(1, 1)) {
            Calls.compile(session, Calls.select(x, out)).run(new BatchStep(9).span(0, 6).select(1, 5));
        }
        assertThat(Tensors.row(out, 0)).isEqualTo(Tensors.row(x, 1));
        assertThat(Tensors.row(out, 1)).isEqualTo(Tensors.row(x, 5));
    }

    @Test
    void computesNothingOfNothing() {
        BatchStep step = new BatchStep(9).span(0, 2);
        try (var session = new CpuSession(2, 2)) {
            Calls.compile(session,
                    Calls.rope(new BuiltinOp.Rope(List.of(1.0), 1, false), Tensors.zeros(2, 0, 4), Tensors.zeros(2, 0, 4)))
                    .run(step);
            Calls.compile(session, Calls.embed(Tensors.ids(), Tensors.zeros(0, 4), Tensors.zeros(0, 4), 4, UnitList.empty()))
                    .run(step);
            Calls.compile(session, Calls.select(Tensors.zeros(2, 4), Tensors.zeros(0, 4))).run(step);
            Tensor x = Tensors.zeros(2, 4);
            Tensor squares = Tensors.zeros(2);
            x.rows(0);
            squares.rows(0);
            Calls.compile(session, Calls.sumSquares(x, squares)).run(step);
            Calls.compile(session, Calls.normalize(x, squares, Tensors.zeros(4), x, 1, 0)).run(step);
        }
    }
}
