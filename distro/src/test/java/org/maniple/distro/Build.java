package org.maniple.distro;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Where the build that runs these tests has put things, as distro/pom.xml says. */
final class Build {

    static final Path TOP = Path.of(property("maniple.top"));
    static final Path TARGET = Path.of(property("maniple.distro.target"));
    static final String VERSION = property("maniple.version");
    static final Path LOCAL_REPOSITORY = Path.of(property("maniple.local.repository"));

    private Build() {}

    static String property(String name) {
        String value = System.getProperty(name, "");
        if (value.isEmpty()) {
            throw new IllegalStateException("system property " + name + " is not set: run these tests with mvn verify");
        }
        return value;
    }

    /** The unpacked distribution; tests do not change it. */
    static Path distribution() {
        return TARGET.resolve("maniple-" + VERSION);
    }

    /** An empty folder. */
    static Path freshFolder(String name) throws IOException {
        Path folder = TARGET.resolve("it").resolve(name);
        if (Files.exists(folder)) {
            try (Stream<Path> entries = Files.walk(folder)) {
                for (Path entry : entries.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(entry);
                }
            }
        }
        return Files.createDirectories(folder);
    }

    /** Copies a folder, keeping permissions, without what a build has left in it, and what an installation keeps for its next start. */
    static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> entries = Files.walk(from)) {
            for (Path entry : entries
                    .filter(entry -> !entry.startsWith(from.resolve("target")) && !entry.startsWith(from.resolve("cache")))
                    .toList()) {
                Path copy = to.resolve(from.relativize(entry).toString());
                if (Files.isDirectory(entry)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(entry, copy, java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
                }
            }
        }
    }

    /** Runs {@code bin/maniple} of an installation on the Java of these tests. */
    static Command.Result maniple(Path home, String... arguments) {
        return Command.run(home, Map.of("PATH", "/usr/bin:/bin", "MANIPLE_JAVA_HOME", System.getProperty("java.home")),
                Stream.concat(Stream.of(home.resolve("bin/maniple").toString()), Stream.of(arguments)).toList());
    }

    /** Runs the Maven that runs these tests, in a folder that is no part of this project, without the network. */
    static Command.Result maven(Path directory, Path repository, List<String> arguments) {
        try {
            // What this build has in its local repository is all that the other one can have: a repository of its own is filled from it.
            Path settings = Files.writeString(repository.resolveSibling("settings.xml"),
                    """
                            <settings><mirrors><mirror><id>already-there</id><mirrorOf>*</mirrorOf><url>%s</url></mirror></mirrors></settings>
                            """
                            .formatted(LOCAL_REPOSITORY.toUri()));
            var environment = new HashMap<>(System.getenv());
            environment.keySet().removeIf(name -> name.startsWith("MAVEN_"));
            return Command.run(directory, environment,
                    Stream.concat(Stream.of(property("maniple.maven.home") + "/bin/mvn", "-B", "-ntp",
                            "-s", settings.toString(), "-Dmaven.repo.local=" + repository), arguments.stream()).toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
