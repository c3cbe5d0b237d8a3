package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.tensor.BlockScales;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/** Contractions with FP8 weights whose blocks have factors. */
class ScaledContractTest {

    private static float[] run(int threads, Tensor x, Tensor weight) {
        Tensor out = Tensors.zeros(x.rows(), weight.extent(0));
        try (var session = new CpuSession(threads, 2)) {
            Calls.compile(session, Calls.contract(x, weight, out)).run(new BatchStep(0));
        }
        return Tensors.all(out);
    }

    private static Integer[] ends(String text) {
        return Arrays.stream(text.split(" ")).map(Integer::valueOf).toArray(Integer[]::new);
    }

    /** Whole blocks, a slice that begins within a block, a last block that is short, blocks that do not fill the partial sums. */
    @ParameterizedTest
    @ValueSource(strings = {"128 256", "64 192 320", "16 144 272 300", "7", "5 21 37 38 100", "128 200"})
    void isAccurateForBlocksOfAnyLength(String blocks) {
        Integer[] ends = ends(blocks);
        int summed = ends[ends.length - 1];
        Tensor x = Tensors.random(1, 6, summed);
        Tensor weight = Tensors.scaled(2, new int[] {11, summed}, ends);
        float[] out = run(2, x, weight);
        for (int row = 0; row < 6; row++) {
            for (int n = 0; n < 11; n++) {
                double sum = 0;
                double size = 0;
                for (int k = 0; k < summed; k++) {
                    double product = Tensors.get(x, (long) row * summed + k) * Tensors.weight(weight, n, k);
                    sum += product;
                    size += Math.abs(product);
                }
                assertThat((double) out[row * 11 + n]).isCloseTo(sum, Offset.offset(1e-6 * size));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"128 256", "5 21 37 38 100"})
    void givesTheSameBitsForEveryNumberOfRowsAndThreads(String blocks) {
        Integer[] ends = ends(blocks);
        int summed = ends[ends.length - 1];
        Tensor x = Tensors.random(1, 64, summed);
        Tensor weight = Tensors.scaled(2, new int[] {139, summed}, ends);
        float[] all = run(1, x, weight);
        for (int threads = 1; threads <= 3; threads++) {
            for (int rows : new int[] {1, 2, 3, 5, 8, 17, 64}) {
                x.rows(rows);
                assertThat(run(threads, x, weight)).as("%d rows, %d threads", rows, threads)
                        .isEqualTo(Arrays.copyOf(all, rows * 139));
            }
        }
    }

    /** So that every vector width gives the same bits; see also {@link VectorWidthTest}. */
    @Test
    void sumsInTheDocumentedOrder() {
        Tensor x = Tensors.random(1, 1, 77);
        Tensor weight = Tensors.scaled(2, new int[] {1, 77}, 40, 77);
        Tensor factors = weight.scales().orElseThrow().factors();
        float[] lanes = new float[16];
        float rest = 0;
        for (int k = 0; k < 77; k++) {
            float a = (float) Tensors.get(x, k);
            float b = (float) Tensors.get(weight, k) * (float) Tensors.get(factors, k < 40 ? 0 : 1);
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
        assertThat(run(1, x, weight)).containsExactly(lanes[0] + rest);
    }

    /** Subnormal ones and both zeros among them. */
    @Test
    void knowsEveryFiniteWeight() {
        Tensor weight = Tensors.random(1, DType.F8_E4M3, 0, 256, 16);
        Tensor x = Tensors.zeros(1, 16);
        x.segment().set(ValueLayout.JAVA_FLOAT, 0, 1f);
        for (int i = 0; i < 256; i++) {
            weight.segment().set(ValueLayout.JAVA_BYTE, 16L * i, (byte) i);
        }
        float[] out = run(1, x, weight);
        for (int i : new int[] {0x00, 0x80, 0x01, 0x07, 0x81, 0x08, 0x38, 0x7e, 0xfe}) {
            assertThat((double) out[i]).as("%02x", i).isEqualTo(Tensors.get(weight, 16L * i));
        }
        for (int i = 0; i < 256; i++) {
            if ((i & 127) != 127) {
                assertThat((double) out[i]).isEqualTo(Tensors.get(weight, 16L * i));
            }
        }
    }

    @Test
    void leavesOtherScaledWeightsToTheReference() {
        Tensor weight = Tensors.random(1, DType.BF16, 0, 4, 16);
        Tensor scaled = weight.scaled(new BlockScales(List.of(16), Tensors.zeros(4, 1)));
        assertThat(WeightMatrix.of(new VectorProducts(), scaled, 4, new int[] {16}, ActivationForm.F32)).isEmpty();
    }
}
