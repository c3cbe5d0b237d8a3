package org.maniple.kernel.engine;

import java.util.Optional;
import java.util.OptionalLong;
import org.maniple.api.engine.EndedRequest;
import org.maniple.api.engine.GenerationEvent;
import org.maniple.api.engine.GenerationRequest;

/**
 * When things happened to a request, on the clock of {@link System#nanoTime}. Written by the engine's thread, read by the output thread at its
 * end, when a stop string may have ended it while the engine still computes.
 */
final class RequestTimes {

    private static final long NEVER = Long.MIN_VALUE;

    private final GenerationRequest request;
    private final long came;
    private volatile int home;
    private volatile long begun = NEVER;
    private volatile long firstToken = NEVER;
    private volatile long lastToken = NEVER;

    RequestTimes(GenerationRequest request, long now) {
        this.request = request;
        this.came = now;
        this.home = request.home().orElse(0);
    }

    /** It takes part in a step, for the first time or again. */
    void step(int itsHome, long now) {
        if (begun == NEVER) {
            home = itsHome;
            begun = now;
        }
    }

    /** A token has been chosen. */
    void token(long now, Observers observers) {
        long before = lastToken;
        lastToken = now;
        if (before == NEVER) {
            firstToken = now;
            observers.firstToken(home, request.prompt().length, now - came);
        } else {
            observers.nextToken(home, now - before);
        }
    }

    /** What it was, with its last event. */
    EndedRequest ended(GenerationEvent.Finished event, long now) {
        return ended(Optional.of(event.reason()), event.outputTokens(), now);
    }

    /** What it was, if it failed. */
    EndedRequest failed(int outputTokens, long now) {
        return ended(Optional.empty(), outputTokens, now);
    }

    private EndedRequest ended(Optional<GenerationEvent.FinishReason> reason, int outputTokens, long now) {
        long begin = begun;
        long first = firstToken;
        return new EndedRequest(request.id(), home, reason, request.prompt().length, outputTokens,
                request.sampling().maxTokens(), now - came, between(came, begin), between(begin, first),
                between(first, lastToken));
    }

    private static OptionalLong between(long from, long to) {
        return from == NEVER || to == NEVER ? OptionalLong.empty() : OptionalLong.of(to - from);
    }
}
