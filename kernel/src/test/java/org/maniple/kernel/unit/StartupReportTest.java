package org.maniple.kernel.unit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.maniple.api.engine.UnitStatus.LinkStatus;

class StartupReportTest {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private StartupReport report(boolean terminal) {
        return new StartupReport(new PrintStream(bytes, true, StandardCharsets.UTF_8), terminal);
    }

    private String printed() {
        return bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
    }

    private static Map<String, Integer> coordinates(int stage, int shard) {
        Map<String, Integer> coordinates = new LinkedHashMap<>();
        coordinates.put("pp", stage);
        coordinates.put("tp", shard);
        return coordinates;
    }

    @Test
    void eachPluginHasALine() {
        report(false).plugins(List.of(
                new StartupReport.PluginLine("transport-tcp", "0.1.0", "transport tcp"),
                new StartupReport.PluginLine("model-llama", "0.1.0", "LlamaForCausalLM")));

        assertThat(printed()).isEqualTo("""
                plugin transport-tcp 0.1.0  transport tcp
                plugin model-llama 0.1.0    LlamaForCausalLM
                """);
    }

    @Test
    void theGridTellsNodeAndCoordinatesOfEachRank() {
        report(false).grid(List.of(
                new StartupReport.GridLine(0, "node-a", coordinates(0, 0)),
                new StartupReport.GridLine(1, "b", coordinates(1, 0))));

        assertThat(printed()).isEqualTo("""
                rank 0 on node-a  pp=0 tp=0
                rank 1 on b       pp=1 tp=0
                """);
    }

    @Test
    void eachLinkHasALineInTheFormThatPeopleSearchFor() {
        report(false).links(List.of(new LinkStatus(0, 1, "shm", 5), new LinkStatus(0, 2, "tcp eth0 10.0.0.2", 5)));

        assertThat(printed()).isEqualTo("rank 0 → 1 via shm\nrank 0 → 2 via tcp eth0 10.0.0.2\n");
    }

    @Test
    void withoutATerminalLoadingIsALineForEachTenthAtMost() {
        StartupReport report = report(false);
        for (int done = 0; done <= 4096; done++) {
            report.loading(done, 4096);
        }
        report.loading(7, 4096);

        assertThat(printed().lines()).hasSize(11).first().isEqualTo("loading weights: 0 % of 4.0 KiB");
        assertThat(printed().lines()).last().isEqualTo("loading weights: 100 % of 4.0 KiB");
    }

    @Test
    void onATerminalLoadingIsOneBarThatIsDrawnAgain() {
        StartupReport report = report(true);
        report.loading(1024, 2048);
        report.loading(2048, 2048);
        report.loading(2048, 2048);

        assertThat(printed()).isEqualTo("\r\u001b[Kloading weights [\u001b[32m" + "#".repeat(15) + "\u001b[0m" + " ".repeat(15)
                + "]  50 % of 2.0 KiB\r\u001b[Kloading weights [\u001b[32m" + "#".repeat(30) + "\u001b[0m] 100 % of 2.0 KiB\n");
    }

    @Test
    void aLineDoesNotTearTheBar() {
        StartupReport report = report(true);
        report.loading(1024, 2048);
        report.line("still waiting for ranks [1]");

        assertThat(printed()).endsWith("50 % of 2.0 KiB\nstill waiting for ranks [1]\n");
    }

    @Test
    void nothingToLoadIsDoneAtOnce() {
        report(false).loading(0, 0);

        assertThat(printed()).isEqualTo("loading weights: 100 % of 0 B\n");
    }

    @Test
    void theReadyLineHasTheUrlAndColoursOnlyOnATerminal() {
        report(false).ready("demo", "http://127.0.0.1:8000");
        report(true).ready("demo", "http://127.0.0.1:8000");

        assertThat(printed()).isEqualTo(
                "ready: demo at http://127.0.0.1:8000\n\u001b[1m\u001b[32mready: demo at http://127.0.0.1:8000\u001b[0m\n");
    }

    @Test
    void bytesReadAsPeopleWriteThem() {
        assertThat(ByteText.of(1023)).isEqualTo("1023 B");
        assertThat(ByteText.of(1 << 20)).isEqualTo("1.0 MiB");
        assertThat(ByteText.of((1 << 20) - 1)).isEqualTo("1.0 MiB");
        assertThat(ByteText.of(Long.MAX_VALUE)).isEqualTo("8.0 EiB");
    }
}
