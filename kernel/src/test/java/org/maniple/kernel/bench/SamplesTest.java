package org.maniple.kernel.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class SamplesTest {

    @Test
    void quantilesAreValuesThatWereMeasured() {
        var samples = Samples.of(40, 10, 30, 20);

        assertThat(samples.quantile(0.5)).isEqualTo(20);
        assertThat(samples.quantile(0.95)).isEqualTo(40);
        assertThat(samples.quantile(0)).isEqualTo(10);
    }

    @Test
    void theDeviationIsThatOfASample() {
        assertThat(Samples.of(2, 4, 6).deviation()).isCloseTo(2, within(1e-12));
        assertThat(Samples.of(2, 4, 6).mean()).isEqualTo(4);
        assertThat(Samples.of(7).deviation()).isZero();
    }
}
