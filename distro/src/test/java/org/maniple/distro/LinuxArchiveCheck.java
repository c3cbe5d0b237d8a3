package org.maniple.distro;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The archive with a run-time inside, in the profile jlink: it needs no Java on the machine. */
class LinuxArchiveCheck {

    private static Path home;
    private static String path;

    @BeforeAll
    static void unpack() throws IOException {
        Path work = Build.freshFolder("linux-x64");
        Path archive = Build.TARGET.resolve("maniple-" + Build.VERSION + "-linux-x64.tar.gz");
        Command.Result unpacked = Command.run(work, Map.of("PATH", "/usr/bin:/bin"), List.of("tar", "xzf", archive.toString()));
        assertThat(unpacked.exitCode()).as(unpacked.output()).isZero();
        home = work.resolve("maniple-" + Build.VERSION);
        Path tools = Files.createDirectories(work.resolve("tools"));
        for (String tool : List.of("dirname", "readlink")) {
            Path original = Files.exists(Path.of("/usr/bin", tool)) ? Path.of("/usr/bin", tool) : Path.of("/bin", tool);
            Files.createSymbolicLink(tools.resolve(tool), original);
        }
        path = tools.toString();
    }

    @Test
    void startsWithoutAnyJavaOnThePathAndWithAnEmptyEnvironment() {
        Command.Result version = run("version");

        assertThat(version.exitCode()).as(version.output()).isZero();
        assertThat(version.output()).contains(Build.VERSION);
    }

    @Test
    void loadsAllPlugins() {
        Command.Result listed = run("plugins", "list");

        assertThat(listed.exitCode()).as(listed.output()).isZero();
        assertThat(listed.output()).contains("compute-cpu", "transport-tcp").doesNotContain("broken", "cannot work here");
    }

    private static Command.Result run(String... arguments) {
        return Command.run(home, Map.of("PATH", path),
                java.util.stream.Stream.concat(java.util.stream.Stream.of("bin/maniple"), java.util.stream.Stream.of(arguments))
                        .toList());
    }
}
