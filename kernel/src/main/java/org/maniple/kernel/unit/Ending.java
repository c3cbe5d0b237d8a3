package org.maniple.kernel.unit;

import org.jspecify.annotations.Nullable;

/** How a rank's time in the unit ends: once, whoever notices first. */
final class Ending {

    private final UnitEvents events;
    private @Nullable UnitFailure failure;
    private @Nullable String stop;

    Ending(UnitEvents events) {
        this.events = events;
    }

    /** The unit has failed. Returns whether this is news. */
    synchronized boolean fail(UnitFailure cause) {
        if (ended()) {
            return false;
        }
        failure = cause;
        tell("unit-failed", () -> events.failed(cause));
        return true;
    }

    /** Another rank ends the unit in order. Returns whether this is news. */
    synchronized boolean stop(String reason) {
        if (!leave(reason)) {
            return false;
        }
        tell("unit-stopped", () -> events.stopped(reason));
        return true;
    }

    /** This rank itself ends its part, so nobody is called back. Returns whether this is news. */
    synchronized boolean leave(String reason) {
        if (ended()) {
            return false;
        }
        stop = reason;
        return true;
    }

    synchronized boolean ended() {
        return failure != null || stop != null;
    }

    synchronized @Nullable String reason() {
        return failure != null ? failure.message() : stop;
    }

    /** What others are told of a rank that leaves before the unit could serve: something must have gone wrong. */
    static UnitFailure early(Hello self) {
        return new UnitFailure(self.rank(), self.host(), "left before all ranks were ready; see what it says");
    }

    /** Throws if the unit has ended. */
    synchronized void check() {
        if (failure != null) {
            throw new UnitFailedException(failure.message());
        }
        if (stop != null) {
            throw new UnitFailedException(stop);
        }
    }

    /** On a thread of its own, because the caller may be a thread of the transport or hold a lock. */
    private static void tell(String name, Runnable callback) {
        Thread.ofPlatform().name(name).daemon(false).start(callback);
    }
}
