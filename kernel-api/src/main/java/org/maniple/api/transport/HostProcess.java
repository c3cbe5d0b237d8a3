package org.maniple.api.transport;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A process as others of its host see it.
 *
 * @param boot identifies the running kernel
 * @param processes identifies the process name space
 * @param process the number of the process there
 * @param started when it was started, in the kernel's ticks, since numbers are used again
 */
public record HostProcess(String boot, String processes, long process, long started) {

    private static final int PARTS = 4;

    /**
     * This process.
     *
     * @return what tells it from all others
     * @throws IOException if this system does not tell: it must be Linux
     */
    public static HostProcess here() throws IOException {
        return of(Long.parseLong(Files.readSymbolicLink(Path.of("/proc/self")).toString()))
                .orElseThrow(() -> new IOException("/proc tells nothing about this process"));
    }

    /**
     * A process in the name space of this one, for example a child.
     *
     * @param process its number
     * @return what tells it from all others; empty if there is none of that number
     * @throws IOException if this system does not tell: it must be Linux
     */
    public static Optional<HostProcess> of(long process) throws IOException {
        String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
        String processes = Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString().replaceAll("[^0-9]", "");
        return ProcessState.of(process).map(state -> new HostProcess(boot, processes, process, state.started()));
    }

    /**
     * Reads what {@link #toString} has written.
     *
     * @param text from another rank
     * @return the process; empty if the text is none
     */
    public static Optional<HostProcess> parse(String text) {
        String[] parts = text.split(":", -1);
        try {
            return parts.length == PARTS
                    ? Optional.of(new HostProcess(parts[0], parts[1], Long.parseLong(parts[2]), Long.parseLong(parts[3])))
                    : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /**
     * Whether both run on the same kernel.
     *
     * @param other another process
     * @return whether they do
     */
    public boolean sameHost(HostProcess other) {
        return boot.equals(other.boot);
    }

    /**
     * Whether this process can look at another one.
     *
     * @param other a process
     * @return whether it is on the same host, in the same name space, and not this one itself
     */
    public boolean seesOther(HostProcess other) {
        return sameHost(other) && processes.equals(other.processes) && !equals(other);
    }

    /**
     * The kernel's word about it; only for a process that this one {@linkplain #seesOther sees}.
     *
     * @return its state; empty if it is gone
     */
    public Optional<ProcessState> state() {
        return ProcessState.of(process).filter(state -> state.started() == started && !state.ended());
    }

    /** One word without spaces. */
    @Override
    public String toString() {
        return boot + ":" + processes + ":" + process + ":" + started;
    }
}
