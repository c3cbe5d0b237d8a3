package org.maniple.system.nodes;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program of the system that ends by itself. */
final class Tool {

    private static final int LIMIT_SECONDS = 60;

    private Tool() {}

    /** How a program ended, and all that it printed. */
    record Result(int code, String text) {}

    static Result run(String input, List<String> words) throws IOException {
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        try (var in = process.getOutputStream()) {
            in.write(input.getBytes(StandardCharsets.UTF_8));
        }
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(words + " did not end within " + LIMIT_SECONDS + " s: " + text);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
        return new Result(process.exitValue(), text);
    }

    /** Runs a program that must succeed; what it printed. */
    static String must(String input, List<String> words) throws IOException {
        Result result = run(input, words);
        if (result.code() != 0) {
            throw new IOException(words + " ended with " + result.code() + ": " + result.text());
        }
        return result.text();
    }
}
