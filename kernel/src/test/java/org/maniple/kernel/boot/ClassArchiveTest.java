package org.maniple.kernel.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassArchiveTest {

    @TempDir
    private Path cache;

    private Stream<String> names() throws IOException {
        try (Stream<Path> files = Files.list(cache)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList().stream();
        }
    }

    @Test
    void whatIsWorthKeepingIsSaidBesideTheArchiveHoweverOftenTheEndIsReached() throws IOException {
        var archive = new ClassArchive(Optional.of(cache.resolve("new-2-2-17.jsa")));

        archive.keep();
        archive.keep();

        assertThat(names()).containsExactly("new-2-2-17.jsa.kept");
    }

    @Test
    void nothingIsSaidWhereNoneIsWanted() throws IOException {
        new ClassArchive(Optional.empty()).keep();

        assertThat(names()).isEmpty();
    }

    @Test
    void anInstallationThatCannotBeWrittenEndsInOrder() throws IOException {
        Path noFolder = Files.writeString(cache.resolve("cache"), "a file");

        new ClassArchive(Optional.of(noFolder.resolve("new-2-2-17.jsa"))).keep();

        assertThat(noFolder).hasContent("a file");
    }
}
