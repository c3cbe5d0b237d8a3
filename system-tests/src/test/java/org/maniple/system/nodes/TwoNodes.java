package org.maniple.system.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.maniple.system.Distribution;
import org.maniple.system.Expected;
import org.maniple.system.Oracles;
import org.maniple.system.UnitProcess;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What every test of two machines starts: a unit of the embedded model. Closing it ends what runs. */
final class TwoNodes implements AutoCloseable {

    /** As many as show that the ranks work together; a step of four ranks on a busy machine may take long. */
    private static final int TOKENS = 8;

    private static final JsonMapper JSON = new JsonMapper();

    final Distribution distribution = Distribution.find();
    final Machines machines;
    private final Path folder;
    private final List<UnitProcess> started = new ArrayList<>();

    TwoNodes(Path folder, int ranksPerNode) {
        this.folder = folder;
        this.machines = Machines.build(ranksPerNode);
        file("secret", "s".repeat(32));
    }

    Path file(String name, String content) {
        try {
            return Files.writeString(folder.resolve(name), content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same file for both nodes. */
    String unit(int tensor, int pipeline, String... lines) {
        return file("unit.yaml", """
                model: models/demo-moe
                served-model-name: demo
                tensor-parallel-size: %d
                pipeline-parallel-size: %d
                kv-cache-memory-bytes: 16MiB
                host: %s
                """.formatted(tensor, pipeline, machines.first.address()) + String.join("\n", lines)).getFileName().toString();
    }

    /** {@code launch} with the flags that place a node. */
    UnitProcess launch(Machine machine, String file, String nodeRank, String... more) {
        return launch(distribution, machine, file, nodeRank, more);
    }

    UnitProcess launch(Distribution other, Machine machine, String file, String nodeRank, String... more) {
        return start(machine, other.command(arguments(file, nodeRank, more)), Map.of());
    }

    /** {@code launch} on a machine whose processes the other one does not see. */
    UnitProcess launchUnseen(Machine machine, String file, String nodeRank) {
        UnitProcess process = machine.startUnseen(distribution.command(arguments(file, nodeRank)), Map.of(), folder);
        started.add(process);
        return process;
    }

    private List<String> arguments(String file, String nodeRank, String... more) {
        var arguments = new ArrayList<>(List.of("launch", file, "--nnodes", "2", "--node-rank", nodeRank,
                "--dist-init-addr", machines.first.address() + ":" + Machine.UNIT_PORT));
        if (!List.of(more).contains("--unit-secret-file")) {
            arguments.addAll(List.of("--unit-secret-file", "secret"));
        }
        arguments.addAll(List.of(more));
        return arguments;
    }

    UnitProcess start(Machine machine, List<String> command, Map<String, String> variables) {
        UnitProcess process = machine.start(command, variables, folder);
        started.add(process);
        return process;
    }

    /** Waits until a unit serves; otherwise fails with what all of its nodes have said. */
    void awaitReady(UnitProcess first) {
        try {
            first.awaitReady();
        } catch (AssertionError e) {
            started.stream().filter(other -> other != first)
                    .forEach(other -> e.addSuppressed(other.failure("is of the same unit")));
            throw e;
        }
    }

    /** A command that starts nothing by itself: its variables place it. */
    List<String> command(String command, String file) {
        return distribution.command(List.of(command, file, "--unit-secret-file", "secret"));
    }

    String url(String path) {
        return "http://" + machines.first.address() + ":" + Machine.API_PORT + path;
    }

    /** The first greedy tokens that a client on the second machine gets. */
    List<Integer> tokens(List<Integer> prompt) {
        String body = JSON.writeValueAsString(Map.of("prompt", prompt, "max_tokens", TOKENS, "temperature", 0, "ignore_eos", true,
                "return_token_ids", true));
        Tool.Result answer = machines.second.ask(url("/v1/completions"), body);
        assertThat(answer.text()).startsWith("200\n");
        JsonNode choice = JSON.readTree(answer.text().substring(4)).get("choices").get(0);
        return Expected.ids(choice.get("token_ids"));
    }

    /** Asks for tokens, which must be those of the reference implementation. */
    void assertServesTheOraclesTokens() {
        Expected.Prompt prompt = Oracles.find("demo-moe").expected().prompts().getFirst();
        assertThat(tokens(prompt.ids())).isEqualTo(prompt.output().subList(0, TOKENS));
    }

    @Override
    public void close() {
        try {
            started.reversed().forEach(UnitProcess::terminate);
            started.forEach(UnitProcess::close);
        } finally {
            machines.close();
        }
    }
}
