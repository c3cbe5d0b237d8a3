package org.maniple.serve.openai;

/** Answers the requests to one route. */
@FunctionalInterface
interface Handler {

    /**
     * Answers, or begins to.
     *
     * @param exchange the request
     * @param fields the body; empty for a GET
     * @throws ApiException if the request is refused
     */
    void handle(Exchange exchange, Fields fields);
}
