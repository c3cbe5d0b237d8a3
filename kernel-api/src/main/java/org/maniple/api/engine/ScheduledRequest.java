package org.maniple.api.engine;

/**
 * What a scheduling policy knows of a request; it never changes.
 *
 * @param arrival counts requests in the order in which they came
 * @param priority as the client has given it, usually 0
 * @param promptTokens length of the prompt
 */
public record ScheduledRequest(long arrival, int priority, int promptTokens) {}
