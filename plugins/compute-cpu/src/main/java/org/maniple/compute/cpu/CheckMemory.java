package org.maniple.compute.cpu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.zip.CRC32;

/**
 * Which checks native kernels have passed before, in a file for each processor, build of the kernels and version of Java. It is believed only if it is whole and
 * says so of exactly these three; a check that failed is never remembered. Where the file cannot be read or written, every start checks again. Safe for
 * use by several threads; of several processes the last one's file remains, which is right whichever it is.
 */
final class CheckMemory {

    private static final String FIRST = "maniple cpu self-check 1";
    private static final String SUM = "sum ";
    private static final long LARGEST = 1 << 16;

    private final Optional<Path> file;
    private final String subject;
    private final TreeSet<String> passed = new TreeSet<>();

    private CheckMemory(Optional<Path> file, String subject) {
        this.file = file;
        this.subject = subject;
    }

    /** Remembers nothing. */
    static CheckMemory none() {
        return new CheckMemory(Optional.empty(), "");
    }

    /**
     * What is remembered in a folder, which is made when something is to be remembered.
     *
     * @param subject the processor, the build and the Java, in words without line breaks
     */
    static CheckMemory in(Path folder, String subject) {
        String name = "cpu-self-check-%08x.txt".formatted(sum(subject));
        var memory = new CheckMemory(Optional.of(folder.resolve(name)), subject);
        memory.passed.addAll(memory.read());
        return memory;
    }

    /** Whether a check has been passed before. */
    synchronized boolean passed(String check) {
        return passed.contains(check);
    }

    /** Remembers that a check has been passed. */
    synchronized void pass(String check) {
        if (passed.add(check)) {
            file.ifPresent(this::write);
        }
    }

    private List<String> read() {
        Path path = file.orElseThrow();
        try {
            if (!Files.isRegularFile(path) || Files.size(path) > LARGEST) {
                return List.of();
            }
            List<String> lines = Files.readAllLines(path, StandardCharsets.UTF_8);
            int last = lines.size() - 1;
            return last >= 2 && lines.subList(0, last).equals(head(lines.subList(2, last)))
                    && lines.get(last).equals(SUM + sum(String.join("\n", lines.subList(0, last))))
                            ? List.copyOf(lines.subList(2, last))
                            : List.of();
        } catch (IOException e) { // also bytes that are no text
            return List.of();
        }
    }

    private List<String> head(List<String> checks) {
        var lines = new ArrayList<String>(List.of(FIRST, subject));
        lines.addAll(checks);
        return lines;
    }

    private void write(Path path) {
        List<String> lines = head(List.copyOf(passed));
        String text = String.join("\n", lines);
        try {
            Path folder = Objects.requireNonNull(path.toAbsolutePath().getParent(), "a file is in a folder");
            Files.createDirectories(folder);
            Path own = Files.createTempFile(folder, "new-", ".txt");
            try {
                Files.writeString(own, text + "\n" + SUM + sum(text) + "\n");
                Files.move(own, path, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(own);
            }
        } catch (IOException | UnsupportedOperationException | SecurityException e) {
            // The next start checks again.
        }
    }

    private static long sum(String text) {
        var sum = new CRC32();
        sum.update(text.getBytes(StandardCharsets.UTF_8));
        return sum.getValue();
    }
}
