package org.maniple.tokenizer.hf;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Assertions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Finds the reference data: the system property {@code maniple.oracle}, else {@code ../shared/oracle} beside the checkout. */
final class Oracle {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private Oracle() {}

    /** A file or folder of the oracle. Without an oracle the test is skipped; on a build server (CI=true) it fails. */
    static Path path(String relative) {
        var root = root();
        if (!Files.isDirectory(root)) {
            var message = "no oracle at " + root.toAbsolutePath() + "; give -Dmaniple.oracle=DIR";
            if ("true".equals(System.getenv("CI"))) {
                Assertions.fail(message);
            }
            assumeTrue(false, message);
        }
        return root.resolve(relative);
    }

    private static Path root() {
        var given = System.getProperty("maniple.oracle");
        if (given != null) {
            return Path.of(given);
        }
        return Path.of(System.getProperty("maniple.top", "")).toAbsolutePath().resolveSibling("shared").resolve("oracle");
    }

    static JsonNode json(Path file) {
        return MAPPER.readTree(file.toFile());
    }

    static JsonNode json(String relative) {
        return json(path(relative));
    }

    /** The files of an oracle folder whose names end so, sorted. */
    static List<Path> files(String folder, String ending) {
        try (var files = Files.list(path(folder))) {
            return files.filter(file -> file.getFileName().toString().endsWith(ending)).sorted().toList();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static Stream<JsonNode> elements(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }

    static int[] ids(JsonNode array) {
        return elements(array).mapToInt(JsonNode::intValue).toArray();
    }
}
