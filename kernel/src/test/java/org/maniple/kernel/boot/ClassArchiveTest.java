package org.maniple.kernel.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassArchiveTest {

    @TempDir
    private Path home;

    private static Stream<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList().stream();
        }
    }

    @Test
    void itIsMovedToItsPlaceAndReplacesThoseOfOtherBuilds() throws IOException {
        Path cache = Files.createDirectory(home.resolve("cache"));
        Files.writeString(cache.resolve("classes-1-1.jsa"), "of another Java");
        Files.writeString(cache.resolve("cpu-self-check-1.txt"), "something else");
        Path place = cache.resolve("classes-2-2.jsa");

        new ClassArchive(Optional.of(place), file -> Files.writeString(file, "archive")).leave();

        assertThat(place).hasContent("archive");
        assertThat(names(cache)).containsExactly("classes-2-2.jsa", "cpu-self-check-1.txt");
    }

    @Test
    void itIsWrittenOnceHoweverOftenTheEndIsReached() {
        var written = new AtomicInteger();
        var archive = new ClassArchive(Optional.of(home.resolve("cache/classes-2-2.jsa")), file -> {
            written.incrementAndGet();
            Files.writeString(file, "archive");
        });

        archive.leave();
        archive.leave();

        assertThat(written).hasValue(1);
    }

    @Test
    void nothingIsWrittenWhereNoneIsWanted() {
        var written = new AtomicInteger();

        new ClassArchive(Optional.empty(), file -> written.incrementAndGet()).leave();

        assertThat(written).hasValue(0);
    }

    @Test
    void whatCannotBeWrittenWholeIsNotThere() throws IOException {
        Path place = home.resolve("cache/classes-2-2.jsa");

        new ClassArchive(Optional.of(place), file -> {
            Files.writeString(file, "half");
            throw new IOException("no space left");
        }).leave();

        assertThat(names(home.resolve("cache"))).isEmpty();
    }

    @Test
    void anInstallationThatCannotBeWrittenEndsInOrder() throws IOException {
        Path noFolder = Files.writeString(home.resolve("cache"), "a file");

        new ClassArchive(Optional.of(noFolder.resolve("classes-2-2.jsa")), file -> Files.writeString(file, "archive")).leave();

        assertThat(noFolder).hasContent("a file");
    }

    @Test
    void aJvmThatHasNotRecordedItsClassesLeavesNothing() throws IOException {
        ClassArchive.of(Optional.of(home.resolve("cache/classes-2-2.jsa"))).leave();

        assertThat(names(home.resolve("cache"))).isEmpty();
    }
}
