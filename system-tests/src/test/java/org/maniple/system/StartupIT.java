package org.maniple.system;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a start leaves for the next one, in a copy of the distribution. */
class StartupIT {

    @TempDir
    private Path folder;

    private Command generate(Distribution distribution, String... before) {
        var words = new ArrayList<>(List.of("env"));
        words.addAll(List.of(before));
        words.addAll(distribution.command(
                List.of("generate", distribution.demoModel().toString(), "--prompt", "hello", "--max-tokens", "1",
                        "--startup-report")));
        return Command.run(distribution.home(), words).succeeded();
    }

    private static List<Path> archives(Distribution distribution) throws IOException {
        try (Stream<Path> files = Files.list(distribution.home().resolve("cache"))) {
            return files.filter(file -> file.toString().endsWith(".jsa")).toList();
        }
    }

    @Test
    void theSecondStartMapsTheClassesThatTheFirstHasLeftAndACopyElsewhereDoesNot() throws IOException {
        Distribution first = Distribution.find().copyTo(folder.resolve("first"));
        assertThat(generate(first).text()).doesNotContain("archive");
        assertThat(archives(first)).hasSize(1);

        Path log = folder.resolve("classes.txt");
        Command second = generate(first, "JDK_JAVA_OPTIONS=-Xlog:class+load:file=" + log);
        assertThat(Files.readString(log)).contains("org.maniple.kernel.boot.Boot source: shared objects file (top)");
        assertThat(second.text()).contains("startup: JVM start").containsPattern("startup: ready +\\d+ ms 100 %");

        Distribution moved = Distribution.find().copyTo(folder.resolve("moved"));
        Path archive = archives(first).getFirst();
        Files.copy(archive, Files.createDirectories(moved.home().resolve("cache")).resolve(archive.getFileName()),
                StandardCopyOption.COPY_ATTRIBUTES);
        generate(moved, "JDK_JAVA_OPTIONS=-Xlog:class+load:file=" + log);
        assertThat(Files.readString(log)).contains("org.maniple.kernel.boot.Boot source: file:")
                .doesNotContain("shared objects file (top)");
    }

    @Test
    void nothingIsLeftWhereNothingIsWanted() {
        Distribution distribution = Distribution.find().copyTo(folder.resolve("plain"));
        Command.run(distribution.home(), Stream.concat(Stream.of("env", "MANIPLE_CLASS_ARCHIVE=off"),
                distribution.command(
                        List.of("generate", distribution.demoModel().toString(), "--prompt", "hello", "--max-tokens", "1",
                                "--cache-dir", "none"))
                        .stream())
                .toList()).succeeded();

        assertThat(distribution.home().resolve("cache")).doesNotExist();
    }
}
