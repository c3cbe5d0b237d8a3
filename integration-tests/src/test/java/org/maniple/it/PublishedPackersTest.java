package org.maniple.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Checkpoints of integers that were packed by the projects that publish them give what transformers computes from the dequantised weights. They are not
 * committed: {@code make_integer_checkpoints.py} makes them.
 */
@EnabledIfSystemProperty(named = "maniple.integers", matches = ".+", disabledReason = "no checkpoints (-Dmaniple.integers=DIR, of make_integer_checkpoints.py)")
class PublishedPackersTest {

    static Stream<Arguments> checkpointsAndLayouts() throws IOException {
        try (Stream<Path> folders = Files.list(Path.of(System.getProperty("maniple.integers")))) {
            return folders.filter(folder -> Files.exists(folder.resolve("expected.json"))).sorted().toList().stream()
                    .flatMap(folder -> List.of(Layout.of(1, 1), Layout.of(2, 1), Layout.of(3, 2)).stream()
                            .map(layout -> Arguments.of(folder, layout)));
        }
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("checkpointsAndLayouts")
    void matchesTransformers(Path checkpoint, Layout layout) {
        ReferenceCheck.check(checkpoint, layout);
    }
}
