package org.maniple.kernel.execute;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

/** Scalar implementations of the operations on rows: lookup, contraction, norms, elementwise functions. */
final class ReferenceMath {

    private ReferenceMath() {}

    static float get(Tensor tensor, long index) {
        return switch (tensor.dtype()) {
            case F32 -> tensor.segment().get(JAVA_FLOAT_UNALIGNED, index * 4);
            case F16 -> Float.float16ToFloat(tensor.segment().get(JAVA_SHORT_UNALIGNED, index * 2));
            case BF16 -> Float.intBitsToFloat(tensor.segment().get(JAVA_SHORT_UNALIGNED, index * 2) << 16);
            default -> throw new IllegalArgumentException("the reference operations do not read " + tensor.dtype());
        };
    }

    static void set(Tensor tensor, long index, float value) {
        if (tensor.dtype() != DType.F32) {
            throw new IllegalArgumentException("the reference operations do not write " + tensor.dtype());
        }
        tensor.segment().set(JAVA_FLOAT_UNALIGNED, index * 4, value);
    }

    static void embed(OpCall call) {
        Tensor ids = call.input(0);
        Tensor weight = call.input(1);
        Tensor out = call.output(0);
        UnitList own = call.units(call.node().inputs().get(1).dims().getFirst().axis());
        for (int row = 0; row < out.rows(); row++) {
            int local = own.indexOf(ids.segment().get(JAVA_INT_UNALIGNED, row * 4L));
            for (int i = 0; i < out.width(); i++) {
                set(out, (long) row * out.width() + i, local < 0 ? 0 : get(weight, (long) local * out.width() + i));
            }
        }
    }

    static void contract(OpCall call) {
        Tensor x = call.input(0);
        Tensor weight = call.input(1);
        Tensor out = call.output(0);
        boolean batched = call.node().inputs().get(1).dims().stream()
                .anyMatch(d -> call.node().inputs().getFirst().has(d.axis()) && call.node().outputs().getFirst().has(d.axis()));
        if (batched) {
            throw new IllegalArgumentException(call.node() + ": batch axes are not implemented");
        }
        int summed = x.width();
        for (int row = 0; row < out.rows(); row++) {
            for (int n = 0; n < out.width(); n++) {
                float sum = 0;
                for (int k = 0; k < summed; k++) {
                    sum += get(x, (long) row * summed + k) * get(weight, (long) n * summed + k);
                }
                set(out, (long) row * out.width() + n, sum);
            }
        }
    }

    static void sumSquares(OpCall call) {
        Tensor x = call.input(0);
        Tensor out = call.output(0);
        int groups = out.width();
        int length = groups == 0 ? 0 : x.width() / groups;
        for (long i = 0; i < (long) out.rows() * groups; i++) {
            float sum = 0;
            for (int j = 0; j < length; j++) {
                float value = get(x, i * length + j);
                sum += value * value;
            }
            set(out, i, sum);
        }
    }

    static void normalize(OpCall call, BuiltinOp.Normalize op) {
        Tensor x = call.input(0);
        Tensor squares = call.input(1);
        Tensor weight = call.input(2);
        Tensor out = call.output(0);
        int count = op.normed().stream().mapToInt(a -> call.node().inputs().getFirst().extent(a)).reduce(1, Math::multiplyExact);
        int groups = squares.width();
        int length = groups == 0 ? 0 : x.width() / groups;
        for (long i = 0; i < (long) out.rows() * groups; i++) {
            float factor = (float) (1 / Math.sqrt(get(squares, i) / count + op.epsilon()));
            for (int j = 0; j < length; j++) {
                set(out, i * length + j, get(x, i * length + j) * factor * (op.offset() + get(weight, j)));
            }
        }
    }

    static void elementwise(OpCall call, ElementFunction function) {
        Tensor x = call.input(0);
        Tensor out = call.output(0);
        Tensor y = call.inputs().size() > 1 ? call.input(1) : x;
        boolean bias = call.inputs().size() > 1 && !call.node().inputs().get(1).has(Axes.TOKENS)
                && !call.node().inputs().get(1).has(Axes.ROWS);
        long width = bias ? (long) y.rows() * y.width() : x.width();
        for (long i = 0; i < (long) out.rows() * out.width(); i++) {
            float a = get(x, i);
            float b = call.inputs().size() > 1 ? get(y, bias ? i % width : i) : 0;
            set(out, i, apply(function, a, b));
        }
    }

    private static float apply(ElementFunction function, float a, float b) {
        return switch (function) {
            case ElementFunction.Add add -> a + b;
            case ElementFunction.Scale scale -> a * scale.factor();
            case ElementFunction.Glu glu -> activate(glu.activation(), a) * b;
            case ElementFunction.Activate activate -> activate(activate.activation(), a);
            case ElementFunction.SoftCap cap -> cap.cap() * (float) Math.tanh(a / cap.cap());
        };
    }

    private static float activate(ElementFunction.Activation activation, float a) {
        return (float) switch (activation) {
            case SILU -> a / (1 + Math.exp(-a));
            case GELU_TANH -> 0.5 * a * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a * a * a)));
            case GELU -> 0.5 * a * (1 + errorFunction(a / Math.sqrt(2)));
            case RELU -> Math.max(a, 0);
        };
    }

    /** Abramowitz and Stegun 7.1.5 as a series for small arguments, 7.1.14 as a continued fraction for large ones. */
    private static double errorFunction(double x) {
        double size = Math.abs(x);
        if (size < 2.5) {
            double term = x;
            double sum = x;
            for (int n = 1; n < 80; n++) {
                term *= -x * x / n;
                sum += term / (2 * n + 1);
            }
            return 2 / Math.sqrt(Math.PI) * sum;
        }
        double fraction = 0;
        for (int n = 60; n > 0; n--) {
            fraction = n / 2.0 / (size + fraction);
        }
        double complement = Math.exp(-size * size) / Math.sqrt(Math.PI) / (size + fraction);
        return Math.signum(x) * (1 - complement);
    }
}
