package org.maniple.api.config;

/**
 * One mistake in a configuration.
 *
 * @param key the key that it is about
 * @param message what was asked, what is there, and what to do; without the key and its source, which are printed before it
 */
public record Problem(String key, String message) {}
