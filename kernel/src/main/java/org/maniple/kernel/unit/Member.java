package org.maniple.kernel.unit;

/**
 * A rank of a unit that has come together.
 *
 * @param rank its number
 * @param host where it runs, for messages
 * @param address what peers dial to reach it
 */
public record Member(int rank, String host, String address) {}
