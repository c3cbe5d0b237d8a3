package org.maniple.distro;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A third party builds examples/hello-plugin outside of this project, from installed artifacts, and puts its zip into plugins/. */
class HelloPluginIT {

    private static Path source;
    private static Path home;

    @BeforeAll
    static void buildAndInstall() throws IOException {
        Path work = Build.freshFolder("hello-plugin");
        Path repository = Files.createDirectories(work.resolve("repository"));
        install(repository, "maniple-parent", Path.of(""), "");
        install(repository, "maniple-plugin-parent", Path.of("plugins"), "");
        install(repository, "maniple-plugin-assembly", Path.of("build-support/plugin-assembly"), "jar");
        install(repository, "maniple-kernel-api", Path.of("kernel-api"), "jar");
        install(repository, "maniple-kernel-testkit", Path.of("kernel-testkit"), "jar");
        source = work.resolve("source");
        Build.copy(Build.TOP.resolve("examples/hello-plugin"), source);
        // Marks the top of a project, so that Maven does not take the checkout around it for that.
        Files.createDirectories(source.resolve(".mvn"));

        Command.Result built = Build.maven(source, repository, List.of("package"));

        assertThat(built.exitCode()).as(built.output()).isZero();
        home = work.resolve("maniple");
        Build.copy(Build.distribution(), home);
        Command.Result unpacked = Command.run(home.resolve("plugins"), Map.of("PATH", "/usr/bin:/bin"),
                List.of(System.getProperty("java.home") + "/bin/jar", "xf",
                        source.resolve("target/hello-plugin-1.0.0-plugin.zip").toString()));
        assertThat(unpacked.exitCode()).as(unpacked.output()).isZero();
    }

    /** What {@code mvn install} does. */
    private static void install(Path repository, String artifact, Path module, String packaging) throws IOException {
        Path folder = Files.createDirectories(repository.resolve("org/maniple").resolve(artifact).resolve(Build.VERSION));
        String name = artifact + "-" + Build.VERSION + ".";
        Files.copy(Build.TOP.resolve(module).resolve("pom.xml"), folder.resolve(name + "pom"));
        if (!packaging.isEmpty()) {
            Files.copy(Build.TOP.resolve(module).resolve("target").resolve(name + packaging), folder.resolve(name + packaging));
        }
    }

    @Test
    void itsBuildNeedsFewLines() throws IOException {
        assertThat(Files.readAllLines(source.resolve("pom.xml"))).hasSizeLessThan(30);
    }

    @Test
    void passedTheContractTestsOfItsKind() throws IOException {
        String report = Files.readString(source.resolve("target/surefire-reports/org.example.hello.HelloArchitectureTest.txt"));

        assertThat(report).containsPattern("Tests run: [89], Failures: 0, Errors: 0, Skipped: 0");
    }

    @Test
    void isListedWithTheOthers() {
        Command.Result listed = Build.maniple(home, "plugins", "list");

        assertThat(listed.exitCode()).as(listed.output()).isZero();
        assertThat(listed.output()).containsPattern("hello +1\\.0\\.0 +\\[1\\.0,2\\) +loaded +.*hello").contains("model-llama")
                .doesNotContain("broken");
    }

    @Test
    void servesItsModelOnTwoRanksAsComputedWithoutManiple() throws Exception {
        var json = JsonMapper.shared();
        JsonNode expected = json.readTree(source.resolve("target/hello-expected.json").toFile());
        String request = json.writeValueAsString(Map.of("model", "hello", "prompt", expected.get("prompt"), "max_tokens",
                expected.get("tokens").size(), "temperature", 0, "ignore_eos", true, "return_token_ids", true, "logprobs", 1));

        JsonNode answer;
        try (var unit = RunningUnit.start(home, "--model", source.resolve("target/hello-model").toString(), "--served-model-name",
                "hello",
                "--skip-tokenizer-init", "--tensor-parallel-size", "2", "--port", "0");
                var client = HttpClient.newHttpClient()) {
            var response = client.send(HttpRequest.newBuilder(URI.create(unit.url() + "/v1/completions"))
                    .header("content-type", "application/json").POST(HttpRequest.BodyPublishers.ofString(request)).build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
            answer = json.readTree(response.body()).get("choices").get(0);
        }

        assertThat(answer.get("token_ids")).isEqualTo(expected.get("tokens"));
        JsonNode logprobs = answer.get("logprobs").get("token_logprobs");
        for (int i = 0; i < logprobs.size(); i++) {
            assertThat(logprobs.get(i).asDouble()).isCloseTo(expected.get("logprobs").get(i).asDouble(), within(1e-3));
        }
    }
}
