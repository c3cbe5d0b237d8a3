package org.maniple.kernel.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchReportTest {

    private static final Machine MACHINE = new Machine("a processor", List.of("avx2"), 2, 0.5);
    private static final List<ModelBench.Result> RESULTS = List
            .of(new ModelBench.Result(new ModelTest(ModelTest.Kind.GENERATE, 128, 0, 8), Samples.of(90, 110)));

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private BenchReport report(boolean terminal) {
        return new BenchReport(new PrintStream(bytes, true, StandardCharsets.UTF_8), terminal);
    }

    private String printed() {
        return bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }

    @Test
    void aTableHasALineForEachTest() {
        report(false).model(Map.of("layout", "tp 2"), MACHINE, RESULTS, false);

        assertThat(printed()).isEqualTo("""
                layout: tp 2
                machine: a processor, 2 processors, load 0.50, avx2
                | test    | tokens/s |     ± |   best |
                |---------|---------:|------:|-------:|
                | tg128x8 |   100.00 | 14.14 | 110.00 |
                """);
    }

    @Test
    void fieldsOfJsonAreCalledAsThoseOfLlamaBench() {
        report(false).model(Map.of("layout", "tp 2"), MACHINE, RESULTS, true);

        JsonNode entry = JsonMapper.builder().build().readTree(printed()).path(0);
        assertThat(entry.path("avg_ts").doubleValue()).isEqualTo(100);
        assertThat(entry.path("n_gen").intValue()).isEqualTo(128);
        assertThat(entry.path("n_prompt").intValue()).isZero();
        assertThat(entry.path("samples_ts").size()).isEqualTo(2);
        assertThat(entry.path("n_streams").intValue()).isEqualTo(8);
        assertThat(entry.path("layout").stringValue()).isEqualTo("tp 2");
    }

    @Test
    void progressIsForTerminalsAlone() {
        report(false).progress("1 of 3");
        assertThat(printed()).isEmpty();

        var report = report(true);
        report.progress("1 of 3");
        report.line("done");
        assertThat(printed()).isEqualTo("\r\u001b[K1 of 3\r\u001b[Kdone\n");
    }
}
