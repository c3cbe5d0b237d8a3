package org.maniple.system;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Where the oracle checkpoints are: {@code -Dmaniple.oracle}, else beside the checkout. */
public final class Oracles {

    private Oracles() {}

    /** The folder of one checkpoint; skips the test where there are none, and fails it on CI. */
    public static Path model(String name) {
        Path directory = candidate();
        boolean there = Files.isDirectory(directory.resolve("models"));
        if (!there && "true".equals(System.getenv("CI"))) {
            Assertions.fail("no oracle checkpoints in " + directory + "; on CI they must be there (-Dmaniple.oracle=DIR)");
        }
        Assumptions.assumeTrue(there, "skipped: no oracle checkpoints in " + directory + " (-Dmaniple.oracle=DIR)");
        return name.equals("demo-dense") ? directory.resolve(name) : directory.resolve("models").resolve(name);
    }

    private static Path candidate() {
        String given = System.getProperty("maniple.oracle", "");
        return given.isEmpty()
                ? Path.of(System.getProperty("maniple.top", "..")).resolve("../shared/oracle").normalize()
                : Path.of(given);
    }
}
