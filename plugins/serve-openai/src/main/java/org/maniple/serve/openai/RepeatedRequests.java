package org.maniple.serve.openai;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * Requests that clients have named by an {@code Idempotency-Key}. While one runs, another one of the same name is refused, so that a client that has
 * given up waiting does not have the same thing computed twice at the same time. Safe for use by several threads.
 */
final class RepeatedRequests {

    private static final String HEADER = "Idempotency-Key";
    private static final Pattern NAME = Pattern.compile("[\\x21-\\x7e]{1,255}");

    private final Set<String> running = ConcurrentHashMap.newKeySet();

    /**
     * A request begins.
     *
     * @param client tells clients apart
     * @throws ApiException 409 if one of the same client and name runs already
     */
    void begin(Exchange exchange, String client) {
        String name = exchange.head().headers().get(HEADER);
        if (name == null) {
            return;
        }
        if (!NAME.matcher(name).matches()) {
            throw ApiException.invalid(HEADER, "The header `" + HEADER + "` must have 1 to 255 visible ASCII characters.");
        }
        String whole = client + ' ' + name;
        if (!running.add(whole)) {
            throw ApiException.of(409, "A request with the " + HEADER + " [" + ApiException.shown(name)
                    + "] is still being answered; wait for its answer, or give this one another key.");
        }
        exchange.whenEnded(() -> running.remove(whole));
    }
}
