package org.maniple.kernel.execute;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.ElementFunction;
import org.maniple.api.graph.OpCall;
import org.maniple.api.graph.Operand;
import org.maniple.api.tensor.BlockCodec;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.BlockScales;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

/** Scalar implementations of the operations on rows: lookup, contraction, norms, elementwise functions. */
final class ReferenceMath {

    private ReferenceMath() {}

    /** An element, by its number among those that are the tensor's own. */
    static float get(Tensor tensor, long index) {
        return weight(tensor, tensor.segment(), index);
    }

    /** An element of a weight in some memory; of a block type its block is decoded for it. */
    private static float weight(Tensor tensor, MemorySegment memory, long index) {
        if (!tensor.dtype().blocked()) {
            refusePacked(tensor);
            return get(tensor.dtype(), memory, index);
        }
        BlockRows rows = tensor.blockRows().orElseThrow();
        float[] row = row(tensor, memory, index / rows.columns());
        return row[(int) (index % rows.columns())];
    }

    /** A row of a weight of a block type, decoded: the elements that are its own. */
    private static float[] row(Tensor tensor, MemorySegment memory, long row) {
        refusePacked(tensor);
        BlockRows rows = tensor.blockRows().orElseThrow();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment floats = arena.allocate((long) rows.held() * Float.BYTES);
            BlockCodec.of(tensor.dtype()).decode(memory, row * tensor.dtype().bytes((long) rows.held()), floats, 0, rows.held());
            float[] own = new float[rows.columns()];
            for (BlockRows.Run run : rows.runs()) {
                MemorySegment.copy(floats, JAVA_FLOAT_UNALIGNED, (long) run.held() * Float.BYTES, own, run.from(), run.count());
            }
            return own;
        }
    }

    private static void refusePacked(Tensor tensor) {
        if (tensor.layout().isPresent()) {
            throw new IllegalArgumentException(
                    "the reference operations do not read " + tensor + "; whoever asked for this layout computes what reads it");
        }
    }

    private static float get(DType dtype, MemorySegment memory, long index) {
        return switch (dtype) {
            case F32 -> memory.get(JAVA_FLOAT_UNALIGNED, index * 4);
            case F16 -> Float.float16ToFloat(memory.get(JAVA_SHORT_UNALIGNED, index * 2));
            case BF16 -> Float.intBitsToFloat(memory.get(JAVA_SHORT_UNALIGNED, index * 2) << 16);
            case F8_E4M3 -> e4m3(memory.get(ValueLayout.JAVA_BYTE, index));
            default -> throw new IllegalArgumentException("the reference operations do not read " + dtype);
        };
    }

    /** An OCP FP8 E4M3 number: 4 bits of exponent with bias 7, 3 of mantissa, no infinities, all ones is not a number. */
    static float e4m3(byte bits) {
        int exponent = bits >> 3 & 15;
        int mantissa = bits & 7;
        float size = exponent == 15 && mantissa == 7
                ? Float.NaN
                : exponent == 0 ? mantissa * 0x1p-9f : Math.scalb(8 + mantissa, exponent - 10);
        return bits < 0 ? -size : size;
    }

    /** Where a weight of a slot begins: in the slot's own memory if it is stacked. */
    static MemorySegment memory(Tensor weight, int slot) {
        return weight.stacked() ? weight.slot(slot) : weight.segment();
    }

    private static long base(Tensor weight, int slot) {
        return weight.stacked() ? 0 : (long) slot * weight.width();
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
            float[] elements = local < 0 ? new float[out.width()] : elements(weight, 0, local, out.width());
            for (int i = 0; i < out.width(); i++) {
                set(out, (long) row * out.width() + i, elements[i]);
            }
        }
    }

    static void contract(OpCall call) {
        Tensor x = call.input(0);
        if (!x.ragged()) {
            contract(call, 0, 0, x.rows());
            return;
        }
        for (int slot = 0; slot < x.pairs().slots(); slot++) {
            contract(call, slot, x.pairs().start(slot), x.pairs().start(slot + 1));
        }
    }

    /** Some rows with the matrix of a slot, or with the only one. */
    private static void contract(OpCall call, int slot, int from, int to) {
        Tensor x = call.input(0);
        Tensor weight = call.input(1);
        Tensor out = call.output(0);
        int summed = x.width();
        float[] leaves = new float[Math.max(1, call.leaves().size())];
        for (int n = 0; n < out.width() && from < to; n++) {
            float[] elements = elements(weight, slot, n, summed);
            for (int row = from; row < to; row++) {
                if (call.leaves().isEmpty()) {
                    leaves[0] = product(x, row, elements, weight, slot, n, 0, summed);
                }
                for (int leaf = 0; leaf < call.leaves().size(); leaf++) {
                    int begin = leaf == 0 ? 0 : call.leaves().get(leaf - 1);
                    leaves[leaf] = product(x, row, elements, weight, slot, n, begin, call.leaves().get(leaf));
                }
                set(out, (long) row * out.width() + n, tree(leaves));
            }
        }
    }

    /** A row of a weight, without its factors. */
    static float[] elements(Tensor weight, int slot, int n, int length) {
        long start = base(weight, slot) + (long) n * length;
        if (weight.dtype().blocked()) {
            return length == 0 ? new float[0] : row(weight, memory(weight, slot), start / length);
        }
        refusePacked(weight);
        float[] elements = new float[length];
        for (int k = 0; k < length; k++) {
            elements[k] = get(weight.dtype(), memory(weight, slot), start + k);
        }
        return elements;
    }

    private static float product(Tensor x, int row, float[] elements, Tensor weight, int slot, int n, int from, int to) {
        float sum = 0;
        for (int k = from; k < to; k++) {
            sum += get(x, (long) row * x.width() + k) * elements[k] * factor(weight, slot, n, k);
        }
        return sum;
    }

    /** The factor of an element of a scaled weight, by its row within the slot. */
    static float factor(Tensor weight, int slot, int n, int k) {
        if (weight.scales().isEmpty()) {
            return 1;
        }
        BlockScales scales = weight.scales().get();
        int block = 0;
        while (scales.ends().get(block) <= k) {
            block++;
        }
        Tensor factors = scales.factors();
        return get(factors.dtype(), memory(factors, slot), base(factors, slot) + (long) n * scales.ends().size() + block);
    }

    /** Adds pairwise, as a balanced binary tree; their number is a power of two. */
    private static float tree(float[] leaves) {
        for (int width = 1; width < leaves.length; width *= 2) {
            for (int i = 0; i < leaves.length; i += 2 * width) {
                leaves[i] += leaves[i + width];
            }
        }
        return leaves[0];
    }

    static void sumSquares(OpCall call) {
        Tensor x = call.input(0);
        Tensor out = call.output(0);
        int groups = out.width();
        int length = groups == 0 ? 0 : x.width() / groups;
        for (long i = 0; i < (long) out.rows() * groups; i++) {
            float[] leaves = new float[Math.max(1, call.leaves().size())];
            for (int leaf = 0; leaf < leaves.length; leaf++) {
                int from = leaf == 0 ? 0 : call.leaves().get(leaf - 1);
                int to = call.leaves().isEmpty() ? length : call.leaves().get(leaf);
                for (int j = from; j < to; j++) {
                    float value = get(x, i * length + j);
                    leaves[leaf] += value * value;
                }
            }
            set(out, i, tree(leaves));
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
        Tensor y = function.operands() > 1 ? call.input(1) : x;
        for (int row = 0; row < out.rows(); row++) {
            for (int i = 0; i < out.width(); i++) {
                float b = function.operands() > 1 ? second(call, function, y, row, i) : 0;
                set(out, (long) row * out.width() + i, apply(function, get(x, (long) row * x.width() + i), b));
            }
        }
    }

    /** The second operand: its element in the same row, or what all rows, or all rows of an expert, have in common. */
    private static float second(OpCall call, ElementFunction function, Tensor y, int row, int i) {
        Operand operand = call.node().inputs().get(1);
        if (function instanceof ElementFunction.RowGate) {
            return get(y, row);
        }
        if (operand.has(Axes.TOKENS) || operand.has(Axes.ROWS)) {
            return get(y, (long) row * y.width() + i);
        }
        if (operand.has(Axes.EXPERTS)) {
            PairRows pairs = call.input(0).pairs();
            int slot = 0;
            while (pairs.start(slot + 1) <= row) {
                slot++;
            }
            return weight(y, memory(y, slot), base(y, slot) + i);
        }
        return get(y, i % ((long) y.rows() * y.width()));
    }

    private static float apply(ElementFunction function, float a, float b) {
        return switch (function) {
            case ElementFunction.Add add -> a + b;
            case ElementFunction.Scale scale -> a * scale.factor();
            case ElementFunction.Glu glu -> activate(glu.activation(), a) * b;
            case ElementFunction.Activate activate -> activate(activate.activation(), a);
            case ElementFunction.SoftCap cap -> cap.cap() * (float) Math.tanh(a / cap.cap());
            case ElementFunction.ClampedGlu glu -> {
                float gate = Math.min(a, glu.limit());
                yield (Math.clamp(b, -glu.limit(), glu.limit()) + 1)
                        * (float) (gate / (1 + Math.exp(-glu.alpha() * gate)));
            }
            case ElementFunction.Clamp clamp -> Math.clamp(a, -clamp.limit(), clamp.limit());
            case ElementFunction.RowGate gate -> a * (float) (1 / (1 + Math.exp(-b)));
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
