package org.maniple.api.engine;

/**
 * Is told what happens to requests while it happens. Threads of the engine call it between steps, several at once: an implementation must not
 * block and should not allocate, and one that throws is not called again. A home is a group of ranks with sequences of its own, 0 without data
 * parallelism. Times come from a clock that never jumps, and a request's begin when {@link Engine#submit} is called for it.
 */
public interface EngineObserver {

    /**
     * A step is done.
     *
     * @param home a group of ranks that has computed something in it
     * @param tokens how many tokens it has computed, of prompts and of outputs
     */
    default void step(int home, int tokens) {}

    /**
     * A prompt has been computed, and the first token of its output has been chosen.
     *
     * @param home where
     * @param promptTokens the length of the prompt
     * @param nanos since the request came
     */
    default void firstToken(int home, int promptTokens, long nanos) {}

    /**
     * A further token has been chosen.
     *
     * @param home where
     * @param nanos since the one before it
     */
    default void nextToken(int home, long nanos) {}

    /**
     * Tokens of an output had been guessed, and a step has shown which of them come true.
     *
     * @param home where
     * @param tokens how many had been guessed, at least 1
     * @param accepted how many of them, from the first on, are the output's
     */
    default void speculated(int home, int tokens, int accepted) {}

    /**
     * A request has ended, however it did; called before its last event is delivered.
     *
     * @param request what it was
     */
    default void ended(EndedRequest request) {}
}
