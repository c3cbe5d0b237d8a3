package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Groups of a data-parallel unit that are started one by one, with vLLM's flags, and have an API each. */
class ReplicasIT {

    private static final String MODEL = "llama-plain";

    private final Distribution distribution = Distribution.find();

    @TempDir
    private Path folder;

    private UnitProcess group(int group, int port, String... more) {
        var arguments = new ArrayList<>(List.of("serve", Oracles.find(MODEL).model().toString(), "--skip-tokenizer-init",
                "--threads", "1", "--kv-cache-memory-bytes", "32MiB", "--port", "0", "--unit-secret", "0123456789abcdef", "-dp",
                "2", "-dpr", Integer.toString(group), "--data-parallel-address", "127.0.0.1", "--data-parallel-rpc-port",
                Integer.toString(port), "--data-parallel-size-local", "1"));
        arguments.addAll(List.of(more));
        return UnitProcess.start(distribution, arguments, folder, String.join(" ", arguments));
    }

    private static int freePort() {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void everyGroupServesItsOwnRequestsAndTheLossOfOneIsToldByTheOther() {
        int port = freePort();
        try (UnitProcess one = group(1, port, "--fault-linger", "2s");
                UnitProcess zero = group(0, port, "--fault-linger", "2s")) {
            List<Api> apis = List.of(zero.api(), one.api());
            for (Api api : apis) {
                checkTokens(api);
            }
            // Group 1 is told of the unit's state every second.
            List<Long> admitted = Poll.until(() -> admitted(apis.getLast()), counts -> counts.stream().distinct().count() == 1);
            assertThat(admitted).hasSize(2).allMatch(count -> count > 0).containsOnly(admitted.getFirst());

            EventStream stream = apis.getLast().stream("/v1/completions",
                    Map.of("prompt", List.of(1, 2, 3), "max_tokens", 1000, "ignore_eos", true, "stream", true,
                            "return_token_ids", true));
            zero.rank(0).destroyForcibly();
            assertThat(stream.rest(Duration.ofSeconds(20)).events().getLast().path("error").path("message").asString(""))
                    .contains("rank 0");
            assertThat(one.exitCode(UnitProcess.END)).isEqualTo(1);
        }
    }

    private static List<Long> admitted(Api api) {
        List<Long> admitted = new ArrayList<>();
        api.get("/v1/cluster").get("homes").forEach(home -> admitted.add(home.get("admitted").asLong()));
        return admitted;
    }

    private static void checkTokens(Api api) {
        Expected expected = Oracles.find(MODEL).expected();
        Map<Expected.Prompt, CompletableFuture<JsonNode>> replies = new LinkedHashMap<>();
        expected.prompts().forEach(prompt -> replies.put(prompt, api.postLater("/v1/completions",
                Map.of("prompt", prompt.ids(), "max_tokens", prompt.output().size(), "temperature", 0, "ignore_eos", true,
                        "return_token_ids", true))));
        replies.forEach((prompt, reply) -> assertThat(Expected.ids(Api.await(reply).get("choices").get(0).get("token_ids")))
                .as(prompt.name()).isEqualTo(prompt.output()));
    }

    @Test
    void aPairOfHeadlessGroupsWaitsForAHeadAndSaysWhatIsMissing() {
        int port = freePort();
        try (UnitProcess zero = group(0, port, "--headless", "--join-timeout", "15s");
                UnitProcess one = group(1, port, "--headless", "--join-timeout", "15s")) {
            zero.await(Pattern.compile("waiting for head 127\\.0\\.0\\.1:" + port + " \\(\\d+ s\\)"), UnitProcess.START);
            assertThat(zero.exitCode(UnitProcess.END)).isEqualTo(1);
            assertThat(one.exitCode(UnitProcess.END)).isEqualTo(1);
            for (UnitProcess group : List.of(zero, one)) {
                assertThat(group.output().text()).contains("every node is --headless; start one without it");
            }
        }
    }

    @Test
    void aHeadlessGroupComputesForTheOthersHead() {
        int port = freePort();
        try (UnitProcess one = group(1, port, "--headless"); UnitProcess zero = group(0, port)) {
            checkTokens(zero.api());
            assertThat(one.output().text()).doesNotContain("ready: ");
            zero.terminate();
            assertThat(zero.exitCode(UnitProcess.END)).isZero();
            assertThat(one.exitCode(UnitProcess.END)).isZero();
        }
    }
}
