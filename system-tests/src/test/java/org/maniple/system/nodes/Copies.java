package org.maniple.system.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.maniple.system.Distribution;

/** Copies of what is installed that differ from the original in one thing. */
record Copies(Path folder) {

    /** Another installation, which may be changed. */
    Distribution distribution(Distribution original) throws IOException {
        Path home = Files.createTempDirectory(folder, "installation").resolve("maniple");
        files(original.home(), home);
        return new Distribution(home);
    }

    /** An installation whose kernel says that it is of another version. */
    Distribution ofVersion(Distribution original, String version) throws IOException {
        Distribution other = distribution(original);
        try (Stream<Path> jars = Files.list(other.home().resolve("lib"))) {
            Path kernel = jars.filter(jar -> jar.getFileName().toString().matches("maniple-kernel-\\d.*")).findFirst()
                    .orElseThrow();
            var said = new StringWriter();
            var writer = new PrintWriter(said);
            int code = ToolProvider.findFirst("jar").orElseThrow().run(writer, writer, "--update", "--file", kernel.toString(),
                    "--module-version", version);
            assertThat(code).as(said.toString()).isZero();
        }
        return other;
    }

    /** A model of which one file is another. */
    Path model(Path original, String file, Change change) throws IOException {
        Path copy = Files.createTempDirectory(folder, "model").resolve("demo-moe");
        files(original, copy);
        byte[] bytes = Files.readAllBytes(copy.resolve(file));
        change.apply(bytes);
        Files.write(copy.resolve(file), bytes);
        return copy;
    }

    /** Changes bytes. */
    interface Change {
        void apply(byte[] bytes);

        /** One bit of a byte far from the beginning. */
        static Change oneBitInTheMiddle() {
            return bytes -> bytes[bytes.length / 2] ^= 1;
        }

        /** A word that is there, by another one of the same length. */
        static Change word(String from, String to) {
            return bytes -> {
                int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(from);
                assertThat(at).as(from).isNotNegative();
                System.arraycopy(to.getBytes(StandardCharsets.ISO_8859_1), 0, bytes, at, to.length());
            };
        }
    }

    private static void files(Path from, Path to) throws IOException {
        Files.createDirectory(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Path copy = to.resolve(file.getFileName());
                if (file.getFileName().toString().equals("cache")) {
                    continue; // what an installation keeps for its next start is of no use elsewhere
                }
                if (Files.isDirectory(file)) {
                    files(file, copy);
                } else {
                    Files.copy(file, copy);
                    assertThat(copy.toFile().setWritable(true)).isTrue();
                }
            }
        }
    }
}
