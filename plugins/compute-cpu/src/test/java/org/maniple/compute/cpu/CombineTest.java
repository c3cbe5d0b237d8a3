package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;

class CombineTest {

    private static final int TOKENS = 7;
    private static final int CHOICES = 3;
    private static final int SLOTS = 5;

    /** Rows of random slots; some choices have none here, and one token has none at all. */
    private static PairRows pairs() {
        var random = new Random(1);
        int[][] slots = new int[TOKENS][CHOICES];
        for (int[] ofToken : slots) {
            for (int i = 0; i < CHOICES; i++) {
                ofToken[i] = random.nextInt(SLOTS + 2);
            }
        }
        slots[4] = new int[] {SLOTS, SLOTS, SLOTS};
        var pairs = new PairRows(SLOTS, CHOICES, TOKENS, TOKENS * CHOICES);
        pairs.begin(TOKENS);
        for (int slot = 0; slot < SLOTS; slot++) {
            for (int token = 0; token < TOKENS; token++) {
                for (int i = 0; i < CHOICES; i++) {
                    if (slots[token][i] == slot) {
                        pairs.add(slot, token, i);
                    }
                }
            }
        }
        pairs.end();
        return pairs;
    }

    /** Bit for bit, of widths that fill vectors and that do not, and of more than one part. */
    @ParameterizedTest
    @ValueSource(ints = {1, 33, 64, 5000})
    void sumsTheRowsOfATokenInTheOrderOfItsChoices(int width) {
        PairRows pairs = pairs();
        Tensor x = Tensors.random(1, TOKENS * CHOICES, width).ragged(pairs);
        Tensor weights = Tensors.random(2, TOKENS, CHOICES);
        for (int threads = 1; threads <= 3; threads++) {
            Tensor out = Tensors.random(3, TOKENS, width);
            try (var session = new CpuSession(threads, 2)) {
                Calls.compile(session, Calls.combine(x, weights, out)).run(new BatchStep(0));
            }
            for (int token = 0; token < TOKENS; token++) {
                float[] expected = new float[width];
                for (int choice = 0; choice < CHOICES; choice++) {
                    int row = pairs.row(token, choice);
                    for (int i = 0; i < width && row >= 0; i++) {
                        expected[i] = Math.fma((float) Tensors.get(x, (long) row * width + i),
                                (float) Tensors.get(weights, (long) token * CHOICES + choice), expected[i]);
                    }
                }
                assertThat(Tensors.row(out, token)).isEqualTo(expected);
            }
        }
    }
}
