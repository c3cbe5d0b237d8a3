package org.maniple.transport.rdma;

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
record ProcessState(char letter, long started) {

    /** Of the fields after the name, which is the second and may contain anything. */
    private static final int STARTED = 22 - 3;

    /** The state of a process; empty if there is none of that number. */
    static Optional<ProcessState> of(long process) {
        try {
            // The name need not be UTF-8.
            String line = Files.readString(Path.of("/proc", Long.toString(process), "stat"), StandardCharsets.ISO_8859_1);
            String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ", -1);
            return Optional.of(new ProcessState(fields[0].charAt(0), Long.parseLong(fields[STARTED])));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    boolean ended() {
        return letter == 'Z' || letter == 'X' || letter == 'x';
    }

    /** By a signal, or by a debugger. */
    boolean stopped() {
        return letter == 'T' || letter == 't';
    }
}
