package org.maniple.kernel.unit;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.maniple.api.ManipleException;

/** A Java process that runs a class of these tests. */
final class ForkedJava implements AutoCloseable {

    final Process process;
    final List<String> out = new CopyOnWriteArrayList<>();
    final List<String> err = new CopyOnWriteArrayList<>();
    private final List<Thread> readers = new ArrayList<>();

    ForkedJava(Class<?> program, String... arguments) throws IOException {
        List<String> line = command(program);
        line.addAll(List.of(arguments));
        process = new ProcessBuilder(line).start();
        readers.add(Thread.ofPlatform().daemon(true).start(() -> read(process.inputReader(StandardCharsets.UTF_8), out)));
        readers.add(Thread.ofPlatform().daemon(true).start(() -> read(process.errorReader(StandardCharsets.UTF_8), err)));
    }

    /** The command line for a program without arguments. */
    static List<String> command(Class<?> program) {
        String classPath = String.join(File.pathSeparator, root(ProcessGroup.class), root(program), api());
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return new ArrayList<>(List.of(java, "-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp", classPath, program.getName()));
    }

    private static String api() {
        try {
            return Path.of(ManipleException.class.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The directory in which a class and its packages lie. */
    private static String root(Class<?> type) {
        try {
            Path file = Path.of(new URI(type.getResource(type.getSimpleName() + ".class").toString()));
            return file.getRoot().resolve(file.subpath(0, file.getNameCount() - type.getName().split("\\.").length)).toString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void read(BufferedReader from, List<String> to) {
        try (from) {
            from.lines().forEach(to::add);
        } catch (IOException | UncheckedIOException e) {
            // The process has been ended by close().
        }
    }

    /** Waits for the end, for at most a minute; then all output is there. */
    int exitCode() throws InterruptedException {
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            throw new AssertionError("still running after 60 s; it said " + out + err);
        }
        for (Thread reader : readers) {
            reader.join(10_000);
        }
        return process.exitValue();
    }

    /** The first line of output like this, waited for at most half a minute. */
    String line(Predicate<String> wanted) throws InterruptedException {
        TestUnit.until(() -> out.stream().anyMatch(wanted));
        return out.stream().filter(wanted).findFirst().orElseThrow();
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
