package org.maniple.transport.rdma;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Where a rank runs.
 *
 * @param boot identifies the running kernel
 * @param processes identifies the process name space
 * @param process the number of its process there
 * @param started when it was started, in the kernel's ticks, since numbers are used again
 */
record Place(String boot, String processes, long process, long started) {

    static Place here() throws IOException {
        String boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
        String processes = Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString().replaceAll("[^0-9]", "");
        long process = Long.parseLong(Files.readSymbolicLink(Path.of("/proc/self")).toString());
        long started = ProcessState.of(process).orElseThrow(() -> new IOException("/proc tells nothing about this process"))
                .started();
        return new Place(boot, processes, process, started);
    }

    boolean sameHost(Place other) {
        return boot.equals(other.boot);
    }

    /** Whether this one's process can be watched from there, and is not the same. */
    boolean seesOther(Place other) {
        return sameHost(other) && processes.equals(other.processes) && (process != other.process || started != other.started);
    }
}
