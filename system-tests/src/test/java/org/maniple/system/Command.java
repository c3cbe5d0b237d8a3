package org.maniple.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A program that has run to its end.
 *
 * @param words that started it
 * @param exitCode its exit code
 * @param text all that it printed
 */
record Command(List<String> words, int exitCode, String text) {

    private static final Duration LIMIT = Duration.ofMinutes(5);

    /** Runs {@code bin/maniple}. */
    static Command maniple(Distribution distribution, String... arguments) {
        return run(distribution.home(), distribution.command(List.of(arguments)));
    }

    /** Runs a program in a folder; fails if it does not end. */
    static Command run(Path folder, List<String> words) {
        return start(folder, words).orElseThrow(() -> new AssertionError("there is no program " + words.getFirst()));
    }

    /** Whether a program is there and succeeds with these arguments. */
    static boolean works(String... words) {
        return start(Path.of("."), List.of(words)).filter(command -> command.exitCode() == 0).isPresent();
    }

    private static Optional<Command> start(Path folder, List<String> words) {
        Process process;
        try {
            process = new ProcessBuilder(words).directory(folder.toFile()).redirectErrorStream(true).start();
        } catch (IOException e) {
            return Optional.empty();
        }
        Output output = Output.of(process.getInputStream());
        try {
            process.getOutputStream().close();
            if (!process.waitFor(LIMIT.toNanos(), TimeUnit.NANOSECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(
                        words + " did not end within " + LIMIT.toMinutes() + " minutes; it printed\n" + output.text());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            process.destroyForcibly();
            throw new AssertionError(e);
        }
        output.awaitEnd(Duration.ofSeconds(5));
        return Optional.of(new Command(words, process.exitValue(), output.text()));
    }

    /** Fails unless the exit code is 0. */
    Command succeeded() {
        if (exitCode != 0) {
            throw new AssertionError(words + " ended with exit code " + exitCode + " and printed\n" + text);
        }
        return this;
    }
}
