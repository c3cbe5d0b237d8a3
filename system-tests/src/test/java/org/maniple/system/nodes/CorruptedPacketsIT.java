package org.maniple.system.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.system.UnitProcess;
import tools.jackson.databind.json.JsonMapper;

/** A tensor-parallel unit on two machines, between which bytes change that TCP takes for what was sent. */
class CorruptedPacketsIT {

    private static final Duration NOTICE = Duration.ofSeconds(30);
    private static final String OPERATION = "(all_reduce|reduce_scatter|all_gather)#\\d+ of group \\d+ with \\d+ bytes";
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    Path folder;

    private TwoNodes nodes;

    @AfterEach
    void end() {
        if (nodes != null) {
            nodes.close();
        }
    }

    /** Activations of many tokens go in large packets. */
    private String ask() {
        return JSON.writeValueAsString(
                Map.of("prompt", Collections.nCopies(200, 45), "max_tokens", 4, "temperature", 0, "ignore_eos",
                        true, "return_token_ids", true));
    }

    /** What is there by default; what else there is, with {@code -Dmaniple.units=all}. */
    static Stream<Arguments> modes() {
        Stream<Arguments> secured = Stream.of(
                Arguments.of("integrity", " integrity",
                        "sent OP with a wrong authentication code: it was corrupted or changed on the way"),
                Arguments.of("encrypt", " encrypt", "sent bytes that TLS refuses .* where OP was expected: they were corrupted"));
        return Stream.concat(
                Stream.of(Arguments.of("auth", "", "sent OP with a wrong checksum: it was corrupted on the way")),
                "all".equals(System.getProperty("maniple.units")) ? secured : Stream.of());
    }

    @ParameterizedTest
    @MethodSource("modes")
    void changedBytesEndTheLinkWithTheNamesOfRankHostAndOperationAndNeverBecomeTokens(String security, String shown,
            String failure) {
        nodes = new TwoNodes(folder, 1);
        String file = nodes.unit(2, 1, "link-security: " + security, "fault-linger: 1s");
        UnitProcess first = nodes.launch(nodes.machines.first, file, "0");
        UnitProcess second = nodes.launch(nodes.machines.second, file, "1");
        nodes.awaitReady(first);
        assertThat(first.output().lines()).contains("rank 0 → 1 via tcp eth0 10.77.1.2" + shown);
        assertThat(nodes.machines.second.ask(nodes.url("/v1/cluster/links"), "").text())
                .contains("\"path\":\"tcp eth0 10.77.1.2" + shown + "\"");
        nodes.assertServesTheOraclesTokens();
        assertThat(nodes.machines.second.ask(nodes.url("/v1/completions"), ask()).text()).startsWith("200\n");

        nodes.machines.second.corrupt(Machine.UNIT_PORT);
        Tool.Result answer = nodes.machines.second.ask(nodes.url("/v1/completions"), ask().replace("45", "46"));

        assertThat(nodes.machines.second.corrupted()).as("packets of which a byte was changed").isPositive();
        assertThat(answer.text()).doesNotStartWith("200").doesNotContain("token_ids");
        first.await(Pattern.compile("the unit has failed: rank 0 on n0 cannot go on: rank 1 \\(10\\.77\\.1\\.2:29501\\) "
                + failure.replace("OP", OPERATION)), NOTICE);
        assertThat(List.of(first.exitCode(UnitProcess.END), second.exitCode(UnitProcess.END))).containsExactly(1, 1);
    }
}
