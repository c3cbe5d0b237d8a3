package org.maniple.api.config;

/**
 * A value that follows from other keys.
 *
 * @param key the key that has it
 * @param value as it would be written as a flag
 * @param reason why, for people: what stands behind the old and the new value
 */
public record Derived(String key, String value, String reason) {}
