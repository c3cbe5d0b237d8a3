package org.maniple.distro;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A unit that {@code bin/maniple launch} has started; ends with the test. */
final class RunningUnit implements AutoCloseable {

    private static final Pattern READY = Pattern.compile("ready: .* at (http://\\S+)");
    private static final int LIMIT_SECONDS = 120;

    private final Process process;
    private final CompletableFuture<String> url = new CompletableFuture<>();
    private final StringBuffer output = new StringBuffer();

    private RunningUnit(Process process) {
        this.process = process;
    }

    /** Starts a unit and waits until it is ready. */
    static RunningUnit start(Path home, String... flags) throws Exception {
        var builder = new ProcessBuilder(
                Stream.concat(Stream.of(home.resolve("bin/maniple").toString(), "launch"), Stream.of(flags))
                        .toList())
                .directory(home.toFile()).redirectErrorStream(true);
        builder.environment().clear();
        builder.environment()
                .putAll(java.util.Map.of("PATH", "/usr/bin:/bin", "MANIPLE_JAVA_HOME", System.getProperty("java.home")));
        var unit = new RunningUnit(builder.start());
        Thread.ofPlatform().daemon().name("output of the unit").start(unit::read);
        try {
            unit.url.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            return unit;
        } catch (Exception e) {
            unit.close();
            throw new AssertionError(List.of(flags) + " was not ready:\n" + unit.output, e);
        }
    }

    private void read() {
        try (BufferedReader lines = process.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                output.append(line).append('\n');
                var ready = READY.matcher(line);
                if (ready.find()) {
                    url.complete(ready.group(1));
                }
            }
            url.completeExceptionally(new IOException("it ended"));
        } catch (IOException e) {
            url.completeExceptionally(e);
        }
    }

    String url() {
        return url.join().replaceAll("/+$", "");
    }

    @Override
    public void close() throws InterruptedException {
        List<ProcessHandle> ranks = process.descendants().toList();
        process.destroy();
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            ranks.forEach(ProcessHandle::destroyForcibly);
            throw new AssertionError("the unit did not end when asked to:\n" + output);
        }
    }
}
