package org.maniple.kernel.engine;

/**
 * Whether the engine guesses how outputs go on, and how. What is guessed takes part in the next step behind the token that is known; a guess counts
 * while it is the token that is chosen there in the usual way, so that outputs do not depend on any of this.
 */
public sealed interface Speculation {

    /** More would never pay. */
    int MOST_TOKENS = 16;

    /** Nothing is guessed. */
    Speculation OFF = new Off();

    /**
     * How many tokens are guessed for a sequence in a step, at most.
     *
     * @return 0 if nothing is guessed
     */
    int tokens();

    /** Nothing is guessed. */
    record Off() implements Speculation {
        @Override
        public int tokens() {
            return 0;
        }
    }

    /**
     * What has followed the last tokens where they have occurred before, in prompt or output ({@code ngram}).
     *
     * @param tokens as above, from 1 to {@link #MOST_TOKENS}
     * @param shortest so many tokens must be the same at least ({@code prompt_lookup_min})
     * @param longest so many are compared at most ({@code prompt_lookup_max})
     */
    record Lookup(int tokens, int shortest, int longest) implements Speculation {
        /** Checks that it has a sense. */
        public Lookup {
            if (tokens < 1 || tokens > MOST_TOKENS || shortest < 1 || longest < shortest) {
                throw new IllegalArgumentException(
                        "At least one token and at most " + MOST_TOKENS + " can be guessed from runs of "
                                + "at least one token, the shortest no longer than the longest; asked for were [" + tokens
                                + " tokens, runs of " + shortest + " to " + longest + "]");
            }
        }
    }

    /** What the layer says that the model has behind its last one for this ({@code mtp}): one token. */
    record NextLayer() implements Speculation {
        @Override
        public int tokens() {
            return 1;
        }
    }
}
