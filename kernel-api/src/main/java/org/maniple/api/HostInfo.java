package org.maniple.api;

/**
 * The machine that a rank runs on, as far as composing a unit needs to know it.
 *
 * @param hostName its name, for messages
 * @param operatingSystem {@code linux}, {@code mac}, …, lower case
 * @param architecture {@code amd64}, {@code aarch64}, … as the JVM names it
 * @param processors processors that this process may use, with container limits taken into account
 * @param memoryBytes memory that this process may use, in bytes, with container limits taken into account
 */
public record HostInfo(String hostName, String operatingSystem, String architecture, int processors, long memoryBytes) {}
