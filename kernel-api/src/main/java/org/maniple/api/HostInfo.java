package org.maniple.api;

import java.util.Map;

/**
 * The machine that a rank runs on, as far as composing a unit needs to know it.
 *
 * @param hostName its name, for messages
 * @param operatingSystem {@code linux}, {@code mac}, …, lower case
 * @param architecture {@code amd64}, {@code aarch64}, … as the JVM names it
 * @param processors processors that this process may use, with container limits taken into account
 * @param memoryBytes memory that this process may use, in bytes, with container limits taken into account
 * @param environment the variables that this process was started with. What a run depends on belongs into its configuration; this is for what
 *         operators set once per host for every program, such as {@code NCCL_IB_HCA}. May hold secrets, so that it is not part of the text.
 */
public record HostInfo(String hostName, String operatingSystem, String architecture, int processors, long memoryBytes,
        Map<String, String> environment) {

    /** Copies the variables. */
    public HostInfo {
        environment = Map.copyOf(environment);
    }

    /**
     * A machine without variables.
     *
     * @param hostName its name, for messages
     * @param operatingSystem {@code linux}, {@code mac}, …, lower case
     * @param architecture {@code amd64}, {@code aarch64}, … as the JVM names it
     * @param processors processors that this process may use
     * @param memoryBytes memory that this process may use, in bytes
     */
    public HostInfo(String hostName, String operatingSystem, String architecture, int processors, long memoryBytes) {
        this(hostName, operatingSystem, architecture, processors, memoryBytes, Map.of());
    }

    @Override
    public String toString() {
        return hostName + " (" + operatingSystem + " on " + architecture + ", " + processors + " processors, " + memoryBytes
                + " bytes)";
    }
}
