package org.maniple.distro;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A program, run to its end. */
final class Command {

    private static final int LIMIT_MINUTES = 10;

    /** What was left of it. */
    record Result(int exitCode, String output) {}

    private Command() {}

    /** Runs a program with the given environment alone; standard output and error come together. */
    static Result run(Path directory, Map<String, String> environment, List<String> words) {
        try {
            Path output = Files.createTempFile("output", ".txt");
            var builder = new ProcessBuilder(words).directory(directory.toFile()).redirectErrorStream(true)
                    .redirectOutput(output.toFile());
            builder.environment().clear();
            builder.environment().putAll(environment);
            Process process = builder.start();
            if (!process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new AssertionError(
                        words + " did not end within " + LIMIT_MINUTES + " minutes:\n" + Files.readString(output));
            }
            String text = Files.readString(output);
            Files.delete(output);
            return new Result(process.exitValue(), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }
}
