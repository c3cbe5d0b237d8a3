package org.maniple.kernel.boot;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What the time between the start of a unit's first process and its readiness went into, as rank 0 sees it: consecutive parts, each
 * ended by a mark. Safe for use by several threads, though marks that several set at once mean little.
 */
public final class StartupTimes {

    private record Part(String name, Duration time) {}

    /** Of a second, for programs, on every architecture. */
    private static final double TICKS = 100;
    private static final int START_FIELD = 19;

    private final InstantSource clock;
    private final List<Part> parts = new ArrayList<>();
    private Instant last;

    /** Begins at some moment. */
    StartupTimes(InstantSource clock, Instant begin) {
        this.clock = clock;
        this.last = begin;
    }

    /**
     * Begins with the start of this process.
     *
     * @return times with one part, that of the JVM's own start, which ends now
     */
    public static StartupTimes ofThisProcess() {
        var times = new StartupTimes(InstantSource.system(), Instant.now().minus(age(ProcessHandle.current().pid())));
        times.mark("JVM start");
        return times;
    }

    /** Puts the time between the start of the process that started this one, and this one's start, in front. */
    synchronized void launched() {
        ProcessHandle.current().parent().ifPresent(launcher -> {
            Duration before = age(launcher.pid()).minus(age(ProcessHandle.current().pid()));
            if (before.isPositive()) {
                parts.addFirst(new Part("launcher", before));
            }
        });
    }

    /** How long a process has run. The start that Java tells of one is off by up to a second on Linux, which counts in ticks since it was booted. */
    private static Duration age(long process) {
        try {
            String stat = Files.readString(Path.of("/proc/" + process + "/stat"));
            // The second field is a name in brackets, which may hold anything; the 22nd is the start.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            double seconds = Double.parseDouble(Files.readString(Path.of("/proc/uptime")).split(" ", -1)[0])
                    - Long.parseLong(fields[START_FIELD]) / TICKS;
            return Duration.ofMillis(Math.max(0, Math.round(1000 * seconds)));
        } catch (IOException | NumberFormatException | ArrayIndexOutOfBoundsException | StringIndexOutOfBoundsException e) {
            return process == ProcessHandle.current().pid()
                    ? Duration.ofMillis(ManagementFactory.getRuntimeMXBean().getUptime())
                    : Duration.ZERO;
        }
    }

    /**
     * Ends a part.
     *
     * @param name what was done since the mark before
     */
    public synchronized void mark(String name) {
        Instant now = clock.instant();
        parts.add(new Part(name, Duration.between(last, now)));
        last = now;
    }

    /** A line for each part, and one for the sum. */
    synchronized List<String> lines() {
        long all = parts.stream().mapToLong(part -> part.time().toMillis()).sum();
        int width = parts.stream().mapToInt(part -> part.name().length()).max().orElse(0);
        var lines = new ArrayList<String>();
        for (Part part : parts) {
            lines.add(line(part.name(), part.time().toMillis(), all, width));
        }
        lines.add(line("ready", all, all, width));
        return List.copyOf(lines);
    }

    private static String line(String name, long millis, long all, int width) {
        return String.format(Locale.ROOT, "startup: %-" + Math.max(1, width) + "s %6d ms %3.0f %%", name, millis,
                100.0 * millis / Math.max(1, all));
    }
}
