package org.maniple.kernel.boot;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What the time between the start of a unit's first process and its readiness went into, as rank 0 sees it: consecutive parts, each
 * ended by a mark. Safe for use by several threads, though marks that several set at once mean little.
 */
public final class StartupTimes {

    private record Part(String name, Duration time) {}

    private final List<Part> parts = new ArrayList<>();
    private Instant last;

    private StartupTimes(Instant begin) {
        this.last = begin;
    }

    /**
     * Begins with the start of this process.
     *
     * @return times with one part, that of the JVM's own start, which ends now
     */
    public static StartupTimes ofThisProcess() {
        Instant now = Instant.now();
        Instant start = ProcessHandle.current().info().startInstant().filter(known -> known.isBefore(now)).orElse(now);
        var times = new StartupTimes(start);
        times.mark("JVM start");
        return times;
    }

    /** Puts the time between the start of the process that started this one, and this one's start, in front. */
    synchronized void launched() {
        Optional<Instant> launcher = ProcessHandle.current().parent().flatMap(parent -> parent.info().startInstant());
        Optional<Instant> own = ProcessHandle.current().info().startInstant();
        if (launcher.isPresent() && own.isPresent() && launcher.get().isBefore(own.get())) {
            parts.addFirst(new Part("launcher", Duration.between(launcher.get(), own.get())));
        }
    }

    /**
     * Ends a part.
     *
     * @param name what was done since the mark before
     */
    public synchronized void mark(String name) {
        Instant now = Instant.now();
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
