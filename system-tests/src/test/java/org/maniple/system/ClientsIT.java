package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The clients that people use, from their registries, hold the conversations of {@code examples/clients} with a unit of four ranks. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClientsIT {

    private static final Path SCRIPTS = Path.of(System.getProperty("maniple.top", ".."))
            .resolve("examples/clients").toAbsolutePath();
    private static final Path INSTALLED = Path.of("target/clients").toAbsolutePath();

    private UnitProcess unit;

    @BeforeAll
    void start(@TempDir Path folder) {
        Distribution distribution = Distribution.find();
        unit = UnitProcess.ready(distribution,
                UnitSpec.of(distribution.demoModel()).with("served-model-name", "demo").with("tensor-parallel-size", 2)
                        .with("pipeline-parallel-size", 2),
                folder);
    }

    @AfterAll
    void stop() {
        unit.close();
    }

    @Test
    void theClientsForJavaScriptAreSatisfied() throws IOException {
        require(Command.works("npm", "--version") && Command.works("node", "--version"), "npm and node");
        Path folder = copy("node");
        Command.run(folder, List.of("npm", "install", "--no-audit", "--no-fund", "--no-package-lock")).succeeded();

        assertThat(Command.run(folder, List.of("node", "openai_client.mjs", url())).succeeded().text())
                .contains("ok: openai for JavaScript, model demo");
        assertThat(Command.run(folder, List.of("node", "ai_sdk_client.mjs", url())).succeeded().text())
                .contains("ok: the AI SDK, model demo");
    }

    @Test
    void theClientsForPythonAreSatisfied() throws IOException {
        require(Command.works("python3", "-c", "import venv, ensurepip"), "python3 with venv and ensurepip");
        Path folder = copy("python");
        if (!Files.exists(folder.resolve("venv/bin/pip"))) {
            Command.run(folder, List.of("python3", "-m", "venv", "venv")).succeeded();
        }
        Command.run(folder,
                List.of("venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"))
                .succeeded();

        assertThat(python(folder, "openai_client.py", url())).contains("ok: openai").contains("for Python, model demo");
        assertThat(python(folder, "anthropic_client.py", unit.awaitReady().toString())).contains("ok: anthropic")
                .contains("model demo");
        assertThat(python(folder, "langchain_client.py", url())).contains("ok: langchain, model demo");
        assertThat(python(folder, "metrics_client.py", unit.awaitReady().toString())).contains("ok: ")
                .contains("requests have ended");
    }

    private static String python(Path folder, String script, String url) {
        return Command.run(folder, List.of("venv/bin/python", script, url)).succeeded().text();
    }

    private String url() {
        return unit.awaitReady().resolve("/v1").toString();
    }

    /** Skips the test where a tool is missing, and fails it on CI. */
    private static void require(boolean there, String what) {
        if (!there && "true".equals(System.getenv("CI"))) {
            Assertions.fail(what + " is not there; on CI it must be");
        }
        Assumptions.assumeTrue(there, "skipped: this machine has no " + what);
    }

    private static Path copy(String name) throws IOException {
        Path folder = Files.createDirectories(INSTALLED.resolve(name));
        try (Stream<Path> files = Files.list(SCRIPTS.resolve(name))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        return folder;
    }
}
