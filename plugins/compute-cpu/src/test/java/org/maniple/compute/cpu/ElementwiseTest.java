package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.ElementFunction.Activation;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

class ElementwiseTest {

    static Stream<Arguments> functions() {
        DoubleUnaryOperator silu = a -> a / (1 + Math.exp(-a));
        DoubleUnaryOperator geluTanh = a -> a / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (a + 0.044715 * a * a * a)));
        DoubleUnaryOperator softCap = a -> 30 * Math.tanh(a / 30);
        return Stream.of(Arguments.of(new ElementFunction.Activate(Activation.SILU), silu),
                Arguments.of(new ElementFunction.Activate(Activation.GELU_TANH), geluTanh),
                Arguments.of(new ElementFunction.Activate(Activation.RELU), (DoubleUnaryOperator) a -> Math.max(a, 0)),
                Arguments.of(new ElementFunction.SoftCap(30), softCap),
                Arguments.of(new ElementFunction.Clamp(7.5f), (DoubleUnaryOperator) a -> Math.clamp(a, -7.5, 7.5)),
                Arguments.of(new ElementFunction.Scale(0.3f), (DoubleUnaryOperator) a -> a * 0.3f));
    }

    @ParameterizedTest
    @MethodSource("functions")
    void isAccurateOverTheWholeRange(ElementFunction function, DoubleUnaryOperator expected) {
        int count = 8011;
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (i - count / 2) * 0.01f;
        }
        Tensor x = Tensors.of(new int[] {1, count}, values);
        Tensor out = Tensors.zeros(1, count);
        run(2, Calls.elementwise(function, x, out));
        for (int i = 0; i < count; i++) {
            double wanted = expected.applyAsDouble(values[i]);
            assertThat(Tensors.get(out, i)).as("of %s", values[i]).isCloseTo(wanted,
                    Offset.offset(1e-5 * Math.abs(wanted) + 1e-30));
        }
    }

    /** Values of the normal distribution, from tables. */
    @Test
    void knowsTheErrorFunction() {
        Tensor x = Tensors.of(new int[] {1, 6}, 1, -1, 2, -2, 3.5f, -3.5f);
        Tensor out = Tensors.zeros(1, 6);
        run(1, Calls.elementwise(new ElementFunction.Activate(Activation.GELU), x, out));
        double[] expected = {0.8413447461, -0.1586552539, 2 * 0.9772498681, -2 * 0.0227501319, 3.5 * 0.9997673709,
            -3.5 * 2.326290790e-4};
        for (int i = 0; i < 6; i++) {
            assertThat(Tensors.get(out, i)).isCloseTo(expected[i], Offset.offset(1e-6 * Math.abs(expected[i])));
        }
    }

    @Test
    void exponentialUnderflowsOverflowsAndKeepsNaN() {
        Tensor x = Tensors.zeros(1, Lanes.COUNT);
        float[] values = {0, Float.NEGATIVE_INFINITY, -200, -100, 88.7f, 100, Float.NaN};
        x.segment().copyFrom(Tensors.of(values).segment());
        Functions.exp(x.segment(), 0, x.segment(), 0, Lanes.COUNT);
        float[] results = Tensors.row(x, 0);
        assertThat(results[0]).isEqualTo(1f);
        assertThat(results[1]).isZero();
        assertThat(results[2]).isZero();
        assertThat(results[3]).isCloseTo((float) Math.exp(-100), Offset.offset(Float.MIN_VALUE));
        assertThat(results[4]).isCloseTo((float) Math.exp(88.7f), Offset.offset(1e33f));
        assertThat(results[5]).isEqualTo(Float.POSITIVE_INFINITY);
        assertThat(results[6]).isNaN();
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16", "F16"})
    void addsABiasToEveryRow(DType type) {
        Tensor x = Tensors.random(1, 5, 37);
        Tensor bias = Tensors.random(2, type, 1, 37);
        Tensor out = Tensors.zeros(5, 37);
        run(2, Calls.elementwise(new ElementFunction.Add(), x, bias, out));
        for (int i = 0; i < 5 * 37; i++) {
            assertThat((float) Tensors.get(out, i)).isEqualTo((float) Tensors.get(x, i) + (float) Tensors.get(bias, i % 37));
        }
    }

    @Test
    void addsRowToRow() {
        Tensor x = Tensors.random(1, 300, 37);
        Tensor y = Tensors.random(2, 300, 37);
        Tensor out = Tensors.zeros(300, 37);
        run(3, Calls.elementwise(new ElementFunction.Add(), x, y, out));
        for (int i = 0; i < 300 * 37; i++) {
            assertThat((float) Tensors.get(out, i)).isEqualTo((float) Tensors.get(x, i) + (float) Tensors.get(y, i));
        }
    }

    @ParameterizedTest
    @EnumSource(Activation.class)
    void gatesWithTheSameBitsForEveryNumberOfRowsAndThreads(Activation activation) {
        int width = 333;
        Tensor gate = Tensors.random(1, 64, width);
        Tensor up = Tensors.random(2, 64, width);
        Tensor activated = Tensors.zeros(64, width);
        run(1, Calls.elementwise(new ElementFunction.Activate(activation), gate, activated));
        Tensor out = Tensors.zeros(64, width);
        for (int threads = 1; threads <= 3; threads++) {
            for (int rows : new int[] {1, 2, 3, 5, 8, 17, 64}) {
                for (Tensor tensor : List.of(gate, up, out)) {
                    tensor.rows(rows);
                }
                out.segment().fill((byte) 1);
                run(threads, Calls.elementwise(new ElementFunction.Glu(activation), gate, up, out));
                for (int i = 0; i < rows * width; i++) {
                    assertThat((float) Tensors.get(out, i))
                            .isEqualTo((float) Tensors.get(activated, i) * (float) Tensors.get(up, i));
                }
            }
        }
    }

    private static void run(int threads, OpCall call) {
        try (var session = new CpuSession(threads, 2)) {
            Calls.compile(session, call).run(new BatchStep(0));
        }
    }

    /** Of the formula, with both inputs beyond the bounds in both directions; the last elements do not fill a vector. */
    @Test
    void boundsTheInputsOfAClampedGate() {
        int count = 401;
        Tensor gate = Tensors.zeros(2, count);
        Tensor up = Tensors.zeros(2, count);
        for (int i = 0; i < 2 * count; i++) {
            gate.segment().set(ValueLayout.JAVA_FLOAT, 4L * i, (i % 37 - 18) * 0.7f);
            up.segment().set(ValueLayout.JAVA_FLOAT, 4L * i, (i % 41 - 20) * 0.6f);
        }
        Tensor out = Tensors.zeros(2, count);
        run(2, Calls.elementwise(new ElementFunction.ClampedGlu(1.702f, 7), gate, up, out));
        for (int i = 0; i < 2 * count; i++) {
            double bounded = Math.min(Tensors.get(gate, i), 7);
            double wanted = (Math.clamp(Tensors.get(up, i), -7.0, 7.0) + 1) * bounded / (1 + Math.exp(-1.702f * bounded));
            assertThat(Tensors.get(out, i)).isCloseTo(wanted, Offset.offset(1e-5 * Math.abs(wanted) + 1e-30));
        }
    }

    @Test
    void computesTheLastElementsOfAClampedGateAsTheOthers() {
        Tensor gate = Tensors.random(1, 1, 64);
        Tensor up = Tensors.random(2, 1, 64);
        Tensor out = Tensors.zeros(1, 64);
        var glu = new ElementFunction.ClampedGlu(1.702f, 1);
        run(1, Calls.elementwise(glu, gate, up, out));
        for (int count = 1; count < 64; count++) {
            Tensor some = Tensors.zeros(1, count);
            run(1, Calls.elementwise(glu, Tensors.of(new int[] {1, count}, Arrays.copyOf(Tensors.all(gate), count)),
                    Tensors.of(new int[] {1, count}, Arrays.copyOf(Tensors.all(up), count)), some));
            assertThat(Tensors.all(some)).isEqualTo(Arrays.copyOf(Tensors.all(out), count));
        }
    }

    @Test
    void gatesEachRowWithTheSigmoidOfItsNumber() {
        Tensor x = Tensors.random(1, 9, 37);
        Tensor gates = Tensors.random(2, 9, 1);
        Tensor out = Tensors.zeros(9, 37);
        run(2, Calls.rowGate(x, gates, out));
        for (int i = 0; i < 9 * 37; i++) {
            double wanted = Tensors.get(x, i) / (1 + Math.exp(-Tensors.get(gates, i / 37)));
            assertThat(Tensors.get(out, i)).isCloseTo(wanted, Offset.offset(1e-6 * Math.abs(wanted)));
        }
        Tensor alone = Tensors.zeros(1, 37);
        run(1, Calls.rowGate(Tensors.of(new int[] {1, 37}, Tensors.row(x, 5)),
                Tensors.of(new int[] {1, 1}, Tensors.row(gates, 5)),
                alone));
        assertThat(Tensors.all(alone)).isEqualTo(Tensors.row(out, 5));
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16", "F16"})
    void addsToTheRowsOfAnExpertTheBiasOfTheExpert(DType type) {
        var pairs = Pairs.ofSizes(2, 0, 3);
        Tensor x = Tensors.random(1, 5, 37).ragged(pairs);
        Tensor whole = Tensors.random(2, type, 1, 3, 37);
        for (Tensor bias : List.of(whole, Tensors.stacked(whole))) {
            Tensor out = Pairs.zeros(pairs, 5, 37);
            run(2, Calls.expertMap(new ElementFunction.Add(), x, bias, out));
            for (int i = 0; i < 5 * 37; i++) {
                long common = (i < 2 * 37 ? 0L : 74L) + i % 37;
                assertThat((float) Tensors.get(out, i)).isEqualTo((float) Tensors.get(x, i) + (float) Tensors.get(whole, common));
            }
        }
    }
}
