package org.maniple.it;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Where the oracle checkpoints are: {@code -Dmaniple.oracle}, else beside the checkout. */
final class Oracles {

    /** The dense checkpoints by directory name. */
    static final List<String> DENSE = List.of("llama-plain", "llama-gqa-rope3-sharded", "llama-tied-bias-bf16", "mistral-window",
            "qwen2",
            "qwen3-tied", "gemma3");

    /** Those with experts. */
    static final List<String> EXPERTS = List.of("deepseek-v2-group", "deepseek-v2-lite", "deepseek-v3", "deepseek-v3-fp8",
            "deepseek-v3-fp8-ragged", "deepseek-v3-mtp-bf16", "glm4-moe", "gpt-oss-bf16", "mixtral", "olmoe", "qwen3-moe",
            "qwen3-moe-sparse");

    /** The committed references of architectures that have no oracle; {@code make_references.py} makes them. */
    static final List<String> REFERENCES = List.of("gpt-oss-mxfp4", "granite", "granite-moe", "kimi-k2", "qwen2-moe");

    private Oracles() {}

    /** The oracle directory; skips the test where there is none, and fails it on CI. */
    static Path directory() {
        Path directory = candidate();
        boolean there = Files.isDirectory(directory.resolve("models"));
        if (!there && "true".equals(System.getenv("CI"))) {
            Assertions.fail("no oracle checkpoints in " + directory + "; on CI they must be there (-Dmaniple.oracle=DIR)");
        }
        Assumptions.assumeTrue(there, "skipped: no oracle checkpoints in " + directory + " (-Dmaniple.oracle=DIR)");
        return directory;
    }

    /** The directory of one checkpoint. */
    static Path model(String name) {
        return name.startsWith("demo-") ? directory().resolve(name) : directory().resolve("models").resolve(name);
    }

    /** The checkpoint that is committed. */
    static Path committed() {
        return Path.of(System.getProperty("maniple.top", ".."), "integration-tests", "src", "test", "resources", "oracle",
                "llama-tied-bias-bf16");
    }

    /** The directory of a committed reference. */
    static Path reference(String name) {
        return Path.of(System.getProperty("maniple.top", ".."), "integration-tests", "src", "test", "resources", "references",
                name);
    }

    private static Path candidate() {
        String given = System.getProperty("maniple.oracle", "");
        return given.isEmpty()
                ? Path.of(System.getProperty("maniple.top", "..")).resolve("../shared/oracle").normalize()
                : Path.of(given);
    }
}
