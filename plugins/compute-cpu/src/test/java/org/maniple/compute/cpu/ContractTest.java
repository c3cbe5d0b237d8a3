package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.compute.ComputeSession;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

class ContractTest {

    private static final int[] ROWS = {1, 2, 3, 5, 8, 17, 64};
    private static final int[] THREADS = {1, 2, 3};

    @ParameterizedTest
    @CsvSource({"F32,1,1", "F32,7,3", "F32,16,8", "F32,33,37", "F32,300,130", "BF16,16,1", "BF16,31,5", "BF16,256,100",
        "BF16,1000,9",
        "F16,15,2", "F16,64,33", "F16,250,70"})
    void isAccurateForUnalignedReadOnlyWeights(DType type, int summed, int columns) {
        Tensor x = Tensors.random(1, 6, summed);
        Tensor weight = Tensors.random(2, type, 3, columns, summed);
        Tensor out = Tensors.zeros(6, columns);
        try (var session = new CpuSession(2, 2)) {
            Calls.compile(session, Calls.contract(x, weight, out)).run(new BatchStep(0));
        }
        for (int row = 0; row < 6; row++) {
            for (int n = 0; n < columns; n++) {
                double sum = 0;
                double size = 0;
                for (int k = 0; k < summed; k++) {
                    double product = Tensors.get(x, (long) row * summed + k) * Tensors.get(weight, (long) n * summed + k);
                    sum += product;
                    size += Math.abs(product);
                }
                assertThat(Tensors.get(out, (long) row * columns + n)).isCloseTo(sum, within(1e-6 * size));
            }
        }
    }

    private static Offset<Double> within(double size) {
        return Offset.offset(size + 1e-30);
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16", "F16"})
    void givesTheSameBitsForEveryNumberOfRowsAndThreads(DType type) {
        int summed = 217;
        int columns = 139;
        Tensor weight = Tensors.random(2, type, 1, columns, summed);
        Tensor x = Tensors.random(1, 64, summed);
        Tensor out = Tensors.zeros(64, columns);
        var alone = new float[64][];
        try (var session = new CpuSession(1, 1)) {
            Tensor one = Tensors.zeros(1, summed);
            var kernel = Calls.compile(session, Calls.contract(one, weight, out));
            out.rows(1);
            for (int row = 0; row < 64; row++) {
                one.segment().copyFrom(x.segment().asSlice(4L * row * summed, 4L * summed));
                kernel.run(new BatchStep(0));
                alone[row] = Tensors.row(out, 0);
            }
        }
        for (int threads : THREADS) {
            try (var session = new CpuSession(threads, 2)) {
                var kernel = Calls.compile(session, Calls.contract(x, weight, out));
                for (int rows : ROWS) {
                    x.rows(rows);
                    out.rows(rows);
                    kernel.run(new BatchStep(0));
                    for (int row = 0; row < rows; row++) {
                        assertThat(Tensors.row(out, row)).as("row %d of %d, %d threads", row, rows, threads)
                                .isEqualTo(alone[row]);
                    }
                }
            }
        }
    }

    /** So that every vector width gives the same bits; see also {@link VectorWidthTest}. */
    @Test
    void sumsInTheDocumentedOrder() {
        Tensor x = Tensors.random(1, 1, 77);
        Tensor weight = Tensors.random(2, 1, 77);
        Tensor out = Tensors.zeros(1, 1);
        try (var session = new CpuSession(1, 1)) {
            Calls.compile(session, Calls.contract(x, weight, out)).run(new BatchStep(0));
        }
        float[] lanes = new float[16];
        float rest = 0;
        for (int k = 0; k < 77; k++) {
            float a = (float) Tensors.get(x, k);
            float b = (float) Tensors.get(weight, k);
            if (k < 64) {
                lanes[k % 16] = Math.fma(a, b, lanes[k % 16]);
            } else {
                rest = Math.fma(a, b, rest);
            }
        }
        for (int half = 8; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                lanes[i] += lanes[i + half];
            }
        }
        assertThat(Tensors.row(out, 0)).containsExactly(lanes[0] + rest);
    }

    @Test
    void takesSeveralDimensionsAsOne() {
        Tensor x = Tensors.random(1, 3, 2, 20);
        Tensor weight = Tensors.random(2, 3, 5, 2, 20);
        Tensor out = Tensors.zeros(3, 3, 5);
        Tensor flat = Tensors.zeros(3, 15);
        Dim heads = Axes.HEADS.of(2);
        Dim kvHeads = Axes.KV_HEADS.of(3);
        Dim element = Calls.ELEMENT.of(20);
        Dim column = Axes.FFN.of(5);
        OpCall call = Calls.call(new BuiltinOp.Contract(),
                List.of(Calls.value(Dim.TOKENS, heads, element), Calls.parameter(kvHeads, column, heads, element)),
                List.of(x, weight),
                List.of(Calls.value(Dim.TOKENS, kvHeads, column)), List.of(out), Map.of());
        try (var session = new CpuSession(1, 1)) {
            Calls.compile(session, call).run(new BatchStep(0));
            Calls.compile(session, Calls.contract(Tensor.of(DType.F32, new int[] {3, 40}, x.segment()),
                    Tensor.of(DType.F32, new int[] {15, 40}, weight.segment()), flat)).run(new BatchStep(0));
        }
        assertThat(Tensors.all(out)).isEqualTo(Tensors.all(flat));
    }

    @Test
    void leavesBatchAxesToTheReference() {
        Dim expert = Axes.EXPERTS.of(2);
        Dim summed = Axes.HIDDEN.of(4);
        Dim made = Axes.FFN.of(3);
        OpCall call = Calls.call(new BuiltinOp.Contract(),
                List.of(Calls.value(Dim.TOKENS, expert, summed), Calls.parameter(expert, made, summed)),
                List.of(Tensors.zeros(1, 2, 4), Tensors.zeros(2, 3, 4)), List.of(Calls.value(Dim.TOKENS, expert, made)),
                List.of(Tensors.zeros(1, 2, 3)), Map.of());
        try (var session = new CpuSession(1, 1)) {
            assertThat(session.compile(new ComputeSession.Region(List.of(call), List.of(true)), 0)).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void computesNothingOfNothing(int threads) {
        try (var session = new CpuSession(threads, 2)) {
            Tensor out = Tensors.random(1, 2, 4);
            Calls.compile(session, Calls.contract(Tensors.zeros(2, 5), Tensors.zeros(4, 5), out)).run(new BatchStep(0));
            assertThat(Tensors.all(out)).containsOnly(0f);

            Tensor rows = Tensors.zeros(2, 4);
            rows.rows(0);
            Calls.compile(session, Calls.contract(Tensors.zeros(2, 5), Tensors.zeros(4, 5), rows)).run(new BatchStep(0));
        }
    }
}
