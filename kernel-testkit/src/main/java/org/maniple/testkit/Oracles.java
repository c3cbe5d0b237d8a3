package org.maniple.testkit;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** The directory with models whose outputs are known. */
public final class Oracles {

    private Oracles() {}

    /**
     * The directory: the system property {@code maniple.oracle}, otherwise {@code ../shared/oracle} beside the checkout. Without one the
     * calling test is skipped, but fails where the environment says {@code CI=true}.
     *
     * @return an existing directory
     */
    public static Path directory() {
        String given = System.getProperty("maniple.oracle", "");
        Path directory = given.isEmpty()
                ? Path.of(System.getProperty("maniple.top", ""), "..", "shared", "oracle")
                : Path.of(given);
        if (!Files.isDirectory(directory) && "true".equals(System.getenv("CI"))) {
            Assertions.fail("no oracles in [" + directory + "]; set -Dmaniple.oracle to their directory");
        }
        Assumptions.assumeTrue(Files.isDirectory(directory), "skipped: no oracles in [" + directory + "]; set -Dmaniple.oracle");
        return directory;
    }

    /**
     * One of the models.
     *
     * @param name its directory, for example {@code models/llama-plain}
     * @return its files
     */
    public static OracleModel model(String name) {
        return new OracleModel(directory().resolve(name));
    }

    /**
     * One of the tiny models that are part of the project, for architectures that the oracles lack: they are there without oracles too.
     *
     * @param name its directory, for example {@code granite-moe}
     * @return its files
     */
    public static OracleModel reference(String name) {
        return new OracleModel(Path.of(System.getProperty("maniple.top", ""), "integration-tests", "src", "test", "resources",
                "references", name));
    }
}
