package org.maniple.kernel.boot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The archive of classes that the JVM writes when it ends, for the next start: what it has read, checked and linked is mapped then, which saves much of the
 * time until a unit is ready. {@code bin/maniple} has told the JVM where to, and puts it in its place before the next start, if it is said here that it is
 * worth keeping. It is a convenience: what goes wrong with it costs the next start some time and nobody a word. Safe for use by several threads.
 */
final class ClassArchive {

    private final Optional<Path> file;

    /**
     * An archive that is still to be written.
     *
     * @param file where the JVM writes it; empty if none is wanted
     */
    ClassArchive(Optional<Path> file) {
        this.file = file;
    }

    /** Says that what this process has loaded is what a start needs. */
    void keep() {
        file.ifPresent(path -> {
            try {
                Files.write(Path.of(path + ".kept"), new byte[0]);
            } catch (IOException | SecurityException e) {
                System.getLogger(ClassArchive.class.getName()).log(System.Logger.Level.DEBUG, "no archive of classes is left", e);
            }
        });
    }
}
