package org.maniple.compute.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.compute.ComputeSession;

/**
 * The vector width is a constant of a JVM, so each width computes in a JVM of its own. One that this processor does not have is
 * computed with the widest that it has, and then proves nothing new.
 */
class VectorWidthTest {

    @ParameterizedTest
    @ValueSource(ints = {128, 256, 512})
    void givesTheSameBitsForEveryOperation(int bits) throws Exception {
        String here = EveryKernel.digest();
        String there = digest(bits);
        assertThat(bitsOf(there)).isEqualTo(Math.min(bits, bitsOf(digest(512))));
        assertThat(withoutBits(there)).isEqualTo(withoutBits(here)).contains("attend, 7 rows: ");
    }

    private static int bitsOf(String digest) {
        return Integer.parseInt(digest.substring("bits ".length(), digest.indexOf('\n')));
    }

    private static String withoutBits(String digest) {
        return digest.substring(digest.indexOf('\n') + 1);
    }

    private static String digest(int bits) throws IOException, InterruptedException {
        String classPath = Stream.of(EveryKernel.class, CpuSession.class, ComputeSession.class).map(VectorWidthTest::root)
                .distinct()
                .collect(Collectors.joining(File.pathSeparator));
        var builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m",
                "-XX:MaxVectorSize=" + bits / 8, "--add-modules=jdk.incubator.vector", "-cp", classPath,
                EveryKernel.class.getName());
        Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try (var output = process.inputReader()) {
            String text = output.lines().filter(line -> line.contains(": ") || line.startsWith("bits ")).map(line -> line + "\n")
                    .collect(Collectors.joining());
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
            return text;
        } finally {
            process.destroyForcibly();
        }
    }

    /** The folder or archive that a class was loaded from. */
    private static String root(Class<?> type) {
        String file = type.getName().replace('.', '/') + ".class";
        String url = type.getResource("/" + file).toString();
        String root = url.substring(0, url.length() - file.length());
        return Path.of(URI.create(root.startsWith("jar:") ? root.substring(4, root.lastIndexOf('!')) : root)).toString();
    }
}
