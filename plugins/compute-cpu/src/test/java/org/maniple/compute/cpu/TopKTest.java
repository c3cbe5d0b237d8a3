package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.assertj.core.data.Index;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

class TopKTest {

    private static int[] ids(Tensor out, int row, int k) {
        return IntStream.range(0, k).map(i -> out.segment().get(JAVA_INT_UNALIGNED, 4L * (row * (2L * k + 2) + k + i))).toArray();
    }

    private static void run(int threads, int k, Tensor logits, Tensor out, int vocabulary, UnitList own) {
        try (var session = new CpuSession(threads, 2)) {
            Calls.compile(session, Calls.topK(k, logits, out, vocabulary, own)).run(new BatchStep(0));
        }
    }

    @Test
    void ordersByValueAndThenById() {
        Tensor out = Tensors.zeros(1, 12);
        run(1, 5, Tensors.of(new int[] {1, 7}, 1, 3, 2, 3, 1, 3, -4), out, 7, UnitList.range(0, 7));
        assertThat(ids(out, 0, 5)).containsExactly(1, 3, 5, 2, 0);
        assertThat(Tensors.row(out, 0)).startsWith(3, 3, 3, 2, 1).contains(3, Index.atIndex(10));
        assertThat(Tensors.get(out, 11)).isCloseTo(3 + Math.exp(-1) + 2 * Math.exp(-2) + Math.exp(-7),
                Percentage.withPercentage(1e-4));
    }

    @Test
    void numbersIdsOnAllRanksTogether() {
        Tensor out = Tensors.zeros(1, 6);
        run(1, 2, Tensors.of(new int[] {1, 4}, 1, 4, 3, 2), out, 100, UnitList.of(10, 20, 21, 90));
        assertThat(ids(out, 0, 2)).containsExactly(20, 21);
    }

    @Test
    void marksPlacesWithoutCandidate() {
        Tensor out = Tensors.random(1, 2, 8);
        run(1, 3, Tensors.of(new int[] {2, 1}, 5, Float.NEGATIVE_INFINITY), out, 9, UnitList.range(4, 5));
        assertThat(ids(out, 0, 3)).containsExactly(4, -1, -1);
        assertThat(ids(out, 1, 3)).containsExactly(4, -1, -1);
        assertThat(Tensors.row(out, 0)).startsWith(5, Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY).endsWith(5, 1);

        Tensor none = Tensors.random(1, 1, 8);
        run(1, 3, Tensors.zeros(1, 0), none, 9, UnitList.empty());
        assertThat(ids(none, 0, 3)).containsExactly(-1, -1, -1);
        assertThat(Tensors.row(none, 0)).endsWith(Float.NEGATIVE_INFINITY, 0);
    }

    @ParameterizedTest
    @CsvSource({"5000,64,1", "5000,64,3", "33000,20,2"})
    void agreesWithSorting(int vocabulary, int k, int threads) {
        Tensor logits = Tensors.random(5, 7, vocabulary);
        Tensor out = Tensors.zeros(7, 2 * k + 2);
        run(threads, k, logits, out, vocabulary, UnitList.range(0, vocabulary));
        for (int row = 0; row < 7; row++) {
            float[] values = Tensors.row(logits, row);
            int[] expected = IntStream.range(0, vocabulary).boxed().sorted((a, b) -> Float.compare(values[b], values[a])).limit(k)
                    .mapToInt(Integer::intValue).toArray();
            assertThat(ids(out, row, k)).isEqualTo(expected);
            double sum = 0;
            for (float value : values) {
                sum += Math.exp(value - values[expected[0]]);
            }
            assertThat(Tensors.get(out, row * (2L * k + 2) + 2 * k + 1)).isCloseTo(sum, Percentage.withPercentage(1e-3));
        }
    }
}
