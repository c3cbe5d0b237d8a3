package org.maniple.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/** A unit that {@code bin/maniple launch} has started. Closing it ends it, and fails if one of its processes stays behind. */
public final class UnitProcess implements AutoCloseable {

    /** Generous: the machine may be busy, and every rank is a Java process that starts from nothing. */
    public static final Duration START = Duration.ofSeconds(120);
    public static final Duration END = Duration.ofSeconds(40);

    private static final Pattern READY = Pattern.compile("(?m)^ready: (.*) at (http://\\S+)$");
    private static final Pattern FOREIGN = Pattern
            .compile("(MANIPLE|SLURM|LWS|POD|MASTER|RANK|WORLD|LOCAL|COMM|NODE|OMPI|PMI)_.*|RANK");

    private final String description;
    private final Process process;
    private final ProcessMarks marks;
    private final Output output;

    private UnitProcess(String description, Process process, ProcessMarks marks) {
        this.description = description;
        this.process = process;
        this.marks = marks;
        this.output = Output.of(process.getInputStream());
    }

    /** Starts a unit whose file is in a folder of its own; does not wait for it. */
    static UnitProcess launch(Distribution distribution, UnitSpec spec, Path folder) {
        try {
            Path file = Files.createTempDirectory(folder, "unit").resolve("unit.yaml");
            Files.writeString(file, spec.yaml());
            var arguments = new ArrayList<>(List.of("launch", file.getFileName().toString()));
            arguments.addAll(spec.flags());
            return start(distribution, arguments, file.getParent(), String.join(" ", arguments) + "\n" + spec.yaml());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Starts a unit and waits until it is ready. */
    static UnitProcess ready(Distribution distribution, UnitSpec spec, Path folder) {
        UnitProcess unit = launch(distribution, spec, folder);
        try {
            unit.awaitReady();
            return unit;
        } catch (AssertionError e) {
            try {
                unit.close();
            } catch (AssertionError leftBehind) {
                e.addSuppressed(leftBehind);
            }
            throw e;
        }
    }

    /** Starts any command, in a folder. */
    static UnitProcess start(Distribution distribution, List<String> arguments, Path folder, String description) {
        return start(distribution.command(arguments), Map.of(), folder, description);
    }

    /** Starts a command by all of its words, with variables of its own. */
    public static UnitProcess start(List<String> command, Map<String, String> variables, Path folder, String description) {
        ProcessMarks marks = ProcessMarks.fresh();
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
        Map<String, String> environment = builder.environment();
        environment.keySet().removeIf(name -> FOREIGN.matcher(name).matches() && !name.equals("MANIPLE_JAVA_HOME"));
        environment.putAll(variables);
        environment.put(ProcessMarks.VARIABLE, marks.mark());
        try {
            return new UnitProcess(description, builder.start(), marks);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits for the line that says that requests are taken. */
    public URI awaitReady() {
        return URI.create(await(READY, START).group(2));
    }

    Api api() {
        return new Api(awaitReady());
    }

    /** Waits for a match in the output. */
    public Matcher await(Pattern pattern, Duration limit) {
        return output.await(pattern, limit).orElseThrow(() -> failure(
                "did not print [" + pattern + "] "
                        + (process.isAlive() ? "within " + limit.toSeconds() + " s" : "before it ended")));
    }

    public Output output() {
        return output;
    }

    /** The process of a rank, as the unit itself tells it; it descends from the one that was started, or is that if it is alone. */
    ProcessHandle rank(int rank) {
        JsonNode ranks = api().get("/v1/cluster").get("ranks");
        long pid = ranks.get(rank).get("pid").asLong();
        return Stream.concat(Stream.of(process.toHandle()), process.descendants()).filter(handle -> handle.pid() == pid)
                .findFirst()
                .orElseThrow(() -> failure("has no process with the number of rank " + rank + " [" + pid + "]"));
    }

    public ProcessHandle launcher() {
        return process.toHandle();
    }

    public List<ProcessHandle> processes() {
        return marks.running();
    }

    /** Asks the launching process to end. {@link Process#destroy} would close its pipes as well. */
    public void terminate() {
        process.toHandle().destroy();
    }

    /** Waits for the end. */
    public int exitCode(Duration limit) {
        try {
            if (!process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)) {
                throw failure("did not end within " + limit.toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure("was not waited for: interrupted");
        }
        output.awaitEnd(Duration.ofSeconds(5));
        return process.exitValue();
    }

    /** Fails if a process of this unit still runs after a while. */
    void assertNoneLeft(Duration limit) {
        List<ProcessHandle> left = marks.awaitNone(limit);
        if (!left.isEmpty()) {
            List<String> names = left.stream().map(handle -> handle.pid() + " " + handle.info().commandLine().orElse(""))
                    .toList();
            left.forEach(ProcessHandle::destroyForcibly);
            throw failure("left processes behind: " + names);
        }
    }

    /** An error that shows what was started and all that it has printed. */
    public AssertionError failure(String what) {
        return new AssertionError("the unit " + what + "\n--- started with\n" + description + "\n--- "
                + (process.isAlive() ? "still running" : "exit code " + process.exitValue()) + ", output\n" + output.text());
    }

    @Override
    public void close() {
        try {
            if (process.isAlive()) {
                terminate();
                exitCode(END);
            }
        } finally {
            assertNoneLeft(Duration.ofSeconds(10));
        }
    }
}
