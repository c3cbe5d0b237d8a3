package org.example.hello;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.GraphBuilder;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.OpCall;
import org.maniple.api.graph.Value;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

class LayerNormTest {

    private static final Dim CHANNELS = Axes.HIDDEN.of(4);
    private static final Node NODE = node();

    @Test
    void needsAllChannelsOfARowAndSplitsByTokens() {
        var signature = NODE.op().signature(NODE.inputs(), NODE.outputs());

        assertThat(signature.whole()).containsExactly(Axes.HIDDEN);
        assertThat(signature.reduced()).isEmpty();
    }

    @Test
    void subtractsTheMeanAndDividesByTheDeviation() {
        Tensor out = floats(new int[] {2, 4}, new float[8]);

        compute(floats(new int[] {2, 4}, 1, 2, 3, 6, -1, -1, 1, 1), floats(new int[] {4}, 1, 1, 1, 2), floats(new int[] {4}, 0, 0, 5, 0),
                out);

        double deviation = Math.sqrt(3.5);
        assertRow(out, 0, -2 / deviation, -1 / deviation, 5, 2 * 3 / deviation);
        assertRow(out, 1, -1, -1, 6, 2);
    }

    @Test
    void readsWeightsInHalfPrecision() {
        short[] bf16 = {0x3f80, 0x4000, 0, 0};
        short[] f16 = {0x3c00, 0, 0x4000, 0};
        Tensor out = floats(new int[] {1, 4}, new float[4]);

        compute(floats(new int[] {1, 4}, -1, -1, 1, 1), halves(DType.BF16, bf16), halves(DType.F16, f16), out);

        assertRow(out, 0, -1 + 1, -2, 2, 0);
    }

    private static void assertRow(Tensor out, int row, double... expected) {
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) out.segment().getAtIndex(JAVA_FLOAT, row * 4L + i)).isCloseTo(expected[i], within(1e-5));
        }
    }

    private static void compute(Tensor x, Tensor weight, Tensor bias, Tensor out) {
        var call = new OpCall(NODE, List.of(x, weight, bias), List.of(out), Map.of());
        Step unread = (Step) Proxy.newProxyInstance(Step.class.getClassLoader(), new Class<?>[] {Step.class}, (proxy, method, arguments) -> {
            throw new AssertionError("a norm depends on nothing but its operands, yet asked for " + method.getName());
        });
        new LayerNorm(0).compute(call, unread);
    }

    private static Node node() {
        var graph = new GraphBuilder("test", 0);
        Value x = graph.embed("x", graph.parameter("table", Axes.VOCAB.of(8), CHANNELS));
        graph.add(new LayerNorm(0), "normed", x.dims(), x, graph.parameter("w", CHANNELS), graph.parameter("b", CHANNELS));
        graph.layer(0);
        return graph.head(x, graph.parameter("head", Axes.VOCAB.of(8), CHANNELS), 16).nodes().get(1);
    }

    private static Tensor floats(int[] shape, float... elements) {
        MemorySegment segment = Arena.ofAuto().allocateFrom(JAVA_FLOAT, elements);
        return Tensor.of(DType.F32, shape, segment);
    }

    private static Tensor halves(DType dtype, short... bits) {
        return Tensor.of(dtype, new int[] {bits.length}, Arena.ofAuto().allocateFrom(JAVA_SHORT, bits));
    }
}
