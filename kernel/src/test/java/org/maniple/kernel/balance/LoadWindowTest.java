package org.maniple.kernel.balance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LoadWindowTest {

    @ParameterizedTest(name = "window {0}, interval {1}")
    @CsvSource({"1, 1", "5, 1", "1, 5", "3, 5", "5, 5", "7, 5", "10, 5", "23, 5", "100, 7"})
    void sumsAreThoseOfTheLastSteps(int window, int interval) {
        var random = new Random(7);
        long[] counts = new long[3];
        var history = new ArrayList<long[]>();
        var loads = new LoadWindow(into -> System.arraycopy(counts, 0, into, 0, 3), 3, window, interval);
        for (int step = 0; step < 200; step++) {
            loads.before(step);
            if (step % interval == 0) {
                long[] expected = new long[3];
                for (int before = Math.max(0, step - window); before < step; before++) {
                    for (int i = 0; i < 3; i++) {
                        expected[i] += history.get(before)[i];
                    }
                }
                assertThat(loads.sums(step)).as("before step %d", step).isEqualTo(expected);
            }
            long[] used = {random.nextInt(9), random.nextInt(100), 1L << 40};
            history.add(used);
            for (int i = 0; i < 3; i++) {
                counts[i] += used[i];
            }
        }
    }

    @Test
    void nothingIsKnownBetweenTheMultiples() {
        var loads = new LoadWindow(into -> {}, 1, 4, 10);
        assertThatThrownBy(() -> loads.sums(15)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("loads are known at multiples of 10 steps, not at 15");
    }
}
