package org.maniple.api.transport;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the kernel says about a process; see proc_pid_stat(5).
 *
 * @param letter its state, for example {@code S} for one that sleeps
 * @param started when it was started, in ticks
 */
public record ProcessState(char letter, long started) {

    /** Of the fields after the name, which is the second and may contain anything. */
    private static final int STARTED = 22 - 3;

    /**
     * Asks the kernel.
     *
     * @param process the number of a process
     * @return its state; empty if there is none of that number, or this system does not tell
     */
    public static Optional<ProcessState> of(long process) {
        try {
            // The name need not be UTF-8.
            String line = Files.readString(Path.of("/proc", Long.toString(process), "stat"), StandardCharsets.ISO_8859_1);
            String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ", -1);
            return Optional.of(new ProcessState(fields[0].charAt(0), Long.parseLong(fields[STARTED])));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /**
     * Whether only its number is left.
     *
     * @return whether it has ended
     */
    public boolean ended() {
        return letter == 'Z' || letter == 'X' || letter == 'x';
    }

    /**
     * Whether a signal or a debugger has stopped it. One that merely gets no processor is not.
     *
     * @return whether it is stopped
     */
    public boolean stopped() {
        return letter == 'T' || letter == 't';
    }
}
