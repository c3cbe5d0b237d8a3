package org.example.hello;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.util.List;
import java.util.Set;
import org.maniple.api.graph.AxisSignature;
import org.maniple.api.graph.CustomOp;
import org.maniple.api.graph.OpCall;
import org.maniple.api.graph.Operand;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;

/**
 * A layer norm: {@code x[TOKENS, c], w[c], b[c] -> (x - mean) · (variance + epsilon)^-1/2 · w + b}, mean and variance over {@code c}. Source:
 * Ba, Kiros, Hinton, "Layer Normalization".
 *
 * @param epsilon added to the variance
 */
record LayerNorm(float epsilon) implements CustomOp {

    @Override
    public String name() {
        return "LAYERNORM";
    }

    /** A row's mean needs all its channels, so no rank can do with a part of them; rows are independent of each other. */
    @Override
    public AxisSignature signature(List<? extends Operand> inputs, List<? extends Operand> outputs) {
        return AxisSignature.needsWhole(Set.of(inputs.getFirst().dims().getLast().axis()));
    }

    @Override
    public void compute(OpCall call, Step step) {
        Tensor x = call.input(0);
        Tensor out = call.output(0);
        int channels = x.width();
        for (int row = 0; row < out.rows(); row++) {
            long first = (long) row * channels;
            double mean = 0;
            for (int i = 0; i < channels; i++) {
                mean += read(x, first + i);
            }
            mean /= channels;
            double squares = 0;
            for (int i = 0; i < channels; i++) {
                double distance = read(x, first + i) - mean;
                squares += distance * distance;
            }
            double factor = 1 / Math.sqrt(squares / channels + epsilon);
            for (int i = 0; i < channels; i++) {
                double normed = (read(x, first + i) - mean) * factor * read(call.input(1), i) + read(call.input(2), i);
                out.segment().set(JAVA_FLOAT_UNALIGNED, (first + i) * Float.BYTES, (float) normed);
            }
        }
    }

    /** Activations are F32; weights have the type in which they are stored. */
    private static float read(Tensor tensor, long index) {
        return switch (tensor.dtype()) {
            case F32 -> tensor.segment().get(JAVA_FLOAT_UNALIGNED, index * Float.BYTES);
            case F16 -> Float.float16ToFloat(tensor.segment().get(JAVA_SHORT_UNALIGNED, index * Short.BYTES));
            case BF16 -> Float.intBitsToFloat(tensor.segment().get(JAVA_SHORT_UNALIGNED, index * Short.BYTES) << 16);
            default -> throw new IllegalArgumentException("LAYERNORM reads F32, F16 and BF16, not " + tensor.dtype());
        };
    }
}
