package org.maniple.kernel.boot;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;
import java.util.Optional;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * The archive of classes that the JVM leaves for the next start: what it has read, checked and linked is mapped then, which saves most of the time until
 * a unit is ready. It is a convenience: what goes wrong with it costs the next start some time and nobody a word. Safe for use by several threads.
 */
final class ClassArchive {

    /** Others of this installation, which belong to a Java or to plugins that are gone, or whose writer was killed. */
    private static final String NAMES = "{classes,new}-*.jsa";

    /** Makes the JVM write the archive. */
    @FunctionalInterface
    interface Dump {
        void to(Path file) throws IOException;
    }

    private final Optional<Path> file;
    private final Dump dump;
    private boolean done;

    /**
     * An archive that is still to be left.
     *
     * @param file where; empty if none is wanted
     * @param dump writes it
     */
    ClassArchive(Optional<Path> file, Dump dump) {
        this.file = file;
        this.dump = dump;
    }

    /** That of this process, if {@code bin/maniple} wants one. */
    static ClassArchive of(Optional<Path> file) {
        return new ClassArchive(file, ClassArchive::ofThisProcess);
    }

    /** Leaves it, at most once: written beside its place and moved there, so that whoever starts at this moment finds all of it or nothing. */
    synchronized void leave() {
        if (done || file.isEmpty()) {
            return;
        }
        done = true;
        Path place = file.get();
        Path folder = Objects.requireNonNull(place.toAbsolutePath().getParent(), "an archive is a file in a folder");
        try {
            Files.createDirectories(folder);
            Path own = Files.createTempFile(folder, "new-", ".jsa");
            try {
                Files.delete(own);
                dump.to(own);
                Files.move(own, place, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(own);
            }
            removeOthers(folder, place);
        } catch (IOException | RuntimeException e) {
            System.getLogger(ClassArchive.class.getName()).log(System.Logger.Level.DEBUG, "no archive of classes is left", e);
        }
    }

    private static void removeOthers(Path folder, Path kept) throws IOException {
        try (DirectoryStream<Path> archives = Files.newDirectoryStream(folder, NAMES)) {
            for (Path other : archives) {
                if (!other.getFileName().equals(kept.getFileName())) {
                    Files.deleteIfExists(other);
                }
            }
        }
    }

    /** As {@code jcmd PID VM.cds dynamic_dump FILE} does, which a run-time without tools has, too. */
    private static void ofThisProcess(Path file) throws IOException {
        PrintStream out = System.out;
        try (var nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8)) {
            // The JVM prints a line about it, which does not belong into what a command answers.
            System.setOut(nowhere);
            Object said = ManagementFactory.getPlatformMBeanServer().invoke(
                    new ObjectName("com.sun.management:type=DiagnosticCommand"), "vmCds",
                    new Object[] {new String[] {"dynamic_dump", file.toString()}}, new String[] {String[].class.getName()});
            if (!Files.isRegularFile(file)) {
                throw new IOException("the JVM has written none: " + said);
            }
        } catch (JMException e) {
            throw new IOException("the JVM cannot write one", e);
        } finally {
            System.setOut(out);
        }
    }
}
