package org.maniple.serve.openai;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Files that may be replaced while a server runs. They are looked at when somebody asks, at most four times a second. Safe for use by several threads. */
final class WatchedFiles {

    private static final long PAUSE = Duration.ofMillis(250).toNanos();

    private final List<Path> files;
    private final AtomicLong next = new AtomicLong(System.nanoTime() + PAUSE);
    private List<Object> seen; // guarded by this

    /** @param files at least one; as they are now they count as seen */
    WatchedFiles(List<Path> files) {
        this.files = List.copyOf(files);
        this.seen = look();
    }

    Path first() {
        return files.getFirst();
    }

    /** Whether one of them is another one than when this was last asked; only one of several askers is told. */
    boolean haveChanged() {
        long due = next.get();
        long now = System.nanoTime();
        if (now - due < 0 || !next.compareAndSet(due, now + PAUSE)) {
            return false;
        }
        synchronized (this) {
            List<Object> found = look();
            boolean changed = !found.equals(seen);
            seen = found;
            return changed;
        }
    }

    /** What tells a file from another one in its place: also one that was moved there with an old time and the same size. */
    private List<Object> look() {
        List<Object> found = new ArrayList<>();
        for (Path file : files) {
            try {
                var attributes = Files.readAttributes(file, BasicFileAttributes.class);
                found.add(List.of(attributes.lastModifiedTime(), attributes.size(), String.valueOf(attributes.fileKey())));
            } catch (IOException gone) {
                found.add("gone");
            }
        }
        return found;
    }
}
