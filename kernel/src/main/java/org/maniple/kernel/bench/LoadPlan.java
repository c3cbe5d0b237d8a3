package org.maniple.kernel.bench;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/**
 * Requests to a server.
 *
 * @param url of the server, without {@code /v1}
 * @param model what to ask for; empty: the first one that the server has
 * @param apiKey sent as a bearer token
 * @param pace when requests are sent
 * @param requests how many, without those that warm up
 * @param warmUp requests before, which do not count
 * @param inputTokens of each prompt
 * @param outputTokens of each answer
 * @param firstToken the first of the token ids that prompts are drawn from
 * @param lastToken the last one
 * @param temperature of sampling
 * @param timeout of a request
 */
public record LoadPlan(URI url, Optional<String> model, Optional<String> apiKey, Pace pace, int requests, int warmUp,
        int inputTokens,
        int outputTokens, int firstToken, int lastToken, double temperature, Duration timeout) {

    /** When requests are sent. */
    public sealed interface Pace {

        /**
         * Closed loop: each client sends its next request when its last one has been answered.
         *
         * @param clients how many
         */
        record Clients(int clients) implements Pace {}

        /**
         * Open loop: requests come when they come, at random (Poisson), whether others have been answered or not.
         *
         * @param perSecond on average
         */
        record Rate(double perSecond) implements Pace {}
    }

    /**
     * The same with another pace.
     *
     * @param other the pace
     * @return a copy
     */
    public LoadPlan at(Pace other) {
        return new LoadPlan(url, model, apiKey, other, requests, warmUp, inputTokens, outputTokens, firstToken, lastToken,
                temperature, timeout);
    }
}
