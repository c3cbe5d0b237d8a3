package org.maniple.serve.openai;

import java.util.OptionalLong;
import org.maniple.api.engine.Sampling;

/** Gives each of several answers to one prompt a seed of its own, so that they differ and can all be repeated. */
final class Seeds {

    private Seeds() {}

    static Sampling shifted(Sampling sampling, int by) {
        if (by == 0 || sampling.seed().isEmpty()) {
            return sampling;
        }
        return sampling.withSeed(OptionalLong.of(sampling.seed().getAsLong() + by));
    }
}
