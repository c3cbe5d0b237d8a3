package org.maniple.serve.openai;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ExpositionTest {

    private final Exposition out = new Exposition();

    @Test
    void samplesOfOneNameStandTogether() {
        out.gauge("a", "First.", 1, "x", "1");
        out.counter("b_total", "Second.", 2);
        out.gauge("a", "First.", 0.5, "x", "2");

        assertThat(out).hasToString("""
                # HELP a First.
                # TYPE a gauge
                a{x="1"} 1.0
                a{x="2"} 0.5
                # HELP b_total Second.
                # TYPE b_total counter
                b_total 2.0
                """);
    }

    @Test
    void bucketsCountAllThatLiesBelowTheirBound() {
        out.histogram("h", "Third.", new double[] {0.5, 10}, new long[] {3, 0, 1}, 12.25, "z", "1", "k", "2");

        assertThat(out).hasToString("""
                # HELP h Third.
                # TYPE h histogram
                h_bucket{k="2",le="0.5",z="1"} 3.0
                h_bucket{k="2",le="10.0",z="1"} 3.0
                h_bucket{k="2",le="+Inf",z="1"} 4.0
                h_count{k="2",z="1"} 4.0
                h_sum{k="2",z="1"} 12.25
                """);
    }

    @Test
    void whatWouldEndALabelOrALineIsEscaped() {
        out.gauge("a", "Two\nlines.", 1, "path", "C:\\a \"b\"\nc");

        assertThat(out).hasToString("# HELP a Two\\nlines.\n# TYPE a gauge\na{path=\"C:\\\\a \\\"b\\\"\\nc\"} 1.0\n");
    }

    @Test
    void largeCountsKeepTheirDigits() {
        out.counter("bytes_total", "Bytes.", 123_456_789_012L);

        assertThat(out.toString()).endsWith("bytes_total 123456789012.0\n");
    }
}
