package org.maniple.system;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * Where the oracle checkpoints are: {@code -Dmaniple.oracle}, else beside the checkout. Without it there are one that is committed for the
 * integration tests, the references of architectures that have no oracle, and the model in the distribution, of which what it must answer is
 * committed here.
 */
public final class Oracles {

    private static final Path TOP = Path.of(System.getProperty("maniple.top", "..")).toAbsolutePath();

    private Oracles() {}

    /**
     * A checkpoint.
     *
     * @param model its folder
     * @param expected what it generates
     */
    public record Oracle(Path model, Expected expected) {}

    /** One of the checkpoints; skips the test where it is not there, and fails it on CI. */
    public static Oracle find(String name) {
        Path directory = candidate();
        Path reference = TOP.resolve("integration-tests/src/test/resources/references").resolve(name);
        if (Files.isDirectory(reference)) {
            return new Oracle(reference, Expected.of(reference));
        }
        Path folder = name.startsWith("demo-") ? directory.resolve(name) : directory.resolve("models").resolve(name);
        if (Files.isDirectory(folder)) {
            return new Oracle(folder, Expected.of(folder));
        }
        if ("true".equals(System.getenv("CI"))) {
            Assertions.fail("no oracle checkpoint in " + folder + "; on CI it must be there (-Dmaniple.oracle=DIR)");
        }
        if (name.equals("demo-moe")) {
            return new Oracle(Distribution.find().demoModel(),
                    Expected.of(TOP.resolve("system-tests/src/test/resources/oracle").resolve(name)));
        }
        Path committed = TOP.resolve("integration-tests/src/test/resources/oracle").resolve(name);
        Assumptions.assumeTrue(Files.isDirectory(committed),
                "skipped: no oracle checkpoint in " + folder + " (-Dmaniple.oracle=DIR)");
        return new Oracle(committed, Expected.of(committed));
    }

    /** The folder of all oracles; skips the test where there is none, and fails it on CI. */
    public static Path directory() {
        Path directory = candidate();
        if (!Files.isDirectory(directory) && "true".equals(System.getenv("CI"))) {
            Assertions.fail("no oracles in " + directory + "; on CI they must be there (-Dmaniple.oracle=DIR)");
        }
        Assumptions.assumeTrue(Files.isDirectory(directory), "skipped: no oracles in " + directory + " (-Dmaniple.oracle=DIR)");
        return directory;
    }

    private static Path candidate() {
        String given = System.getProperty("maniple.oracle", "");
        return given.isEmpty() ? TOP.resolve("../shared/oracle").normalize() : Path.of(given);
    }
}
