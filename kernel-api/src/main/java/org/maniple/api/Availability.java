package org.maniple.api;

/** The answer of an extension to the question whether it can work on a host. */
public sealed interface Availability {

    /**
     * It can.
     *
     * @param score the highest one is taken when a configuration says {@code auto}; 0 is the ordinary score
     */
    record Available(int score) implements Availability {}

    /**
     * It cannot.
     *
     * @param reason what is missing, and what to do about it, as part of a sentence
     */
    record Unavailable(String reason) implements Availability {}

    /**
     * It can.
     *
     * @param score see {@link Available#score()}
     * @return the answer
     */
    static Availability available(int score) {
        return new Available(score);
    }

    /**
     * It cannot.
     *
     * @param reason see {@link Unavailable#reason()}
     * @return the answer
     */
    static Availability unavailable(String reason) {
        return new Unavailable(reason);
    }
}
