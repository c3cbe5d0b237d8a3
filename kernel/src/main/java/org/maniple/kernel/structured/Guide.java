package org.maniple.kernel.structured;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Leads one output along its constraint. The engine's thread says which token has been chosen ({@link #chosen}) and asks later what may
 * follow ({@link #await}); in between, another thread finds that out ({@link #work}), while the step runs that needs it.
 */
public final class Guide {

    private static final long LIMIT_SECONDS = 60;
    private static final int NO_TOKEN = -1;

    private final CompiledConstraint constraint;
    private final Semaphore done = new Semaphore(0);
    private boolean taken; // of the engine's thread
    private int token = NO_TOKEN;

    // Written by the worker before it releases the semaphore, read by the engine's thread after it has acquired it.
    private Position position;
    private long[] allowed = new long[0];
    private @Nullable String failure;

    Guide(CompiledConstraint constraint) {
        this.constraint = constraint;
        position = constraint.begin();
    }

    /**
     * Says how the output goes on. On the engine's thread, after {@link #await}; then {@link #work} must be called on some thread.
     *
     * @param chosenToken a token that was allowed, not one that ends the output
     */
    public void chosen(int chosenToken) {
        token = chosenToken;
        taken = false;
    }

    /** Finds out what may follow. Called once at the beginning and once after each {@link #chosen}, on any thread. */
    public void work() {
        try {
            if (token != NO_TOKEN) {
                position = constraint.after(position, token);
            }
            allowed = constraint.mask(position);
        } catch (ConstraintException tooMuch) {
            failure = String.valueOf(tooMuch.getMessage());
        } catch (RuntimeException | Error broken) {
            failure = "The constraint on the output cannot be followed: " + broken;
        } finally {
            done.release();
        }
    }

    /**
     * Waits until it is known what may follow.
     *
     * @return why that will never be known, or null
     */
    public @Nullable String await() {
        try {
            if (!taken && !done.tryAcquire(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("What a constraint allows was not found out within " + LIMIT_SECONDS + " s");
            }
            taken = true;
            return failure;
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException("The engine's thread was interrupted", interrupted);
        }
    }

    /**
     * Whether a token that is no special one may come next. After {@link #await}.
     *
     * @param id a token id
     * @return whether it may
     */
    public boolean allows(int id) {
        return (allowed[id >>> 6] & 1L << id) != 0;
    }

    /**
     * How many of some tokens may come next, one after the other. After {@link #await}, which said that nothing hinders.
     *
     * @param tokens holds them
     * @param from where they begin
     * @param count how many there are
     * @return how many of them, from the first on, the constraint allows
     */
    public int admits(int[] tokens, int from, int count) {
        Position at = position;
        long[] mask = allowed;
        for (int i = 0; i < count; i++) {
            int id = tokens[from + i];
            if ((mask[id >>> 6] & 1L << id) == 0) {
                return i;
            }
            if (i + 1 < count) {
                try {
                    at = constraint.after(at, id);
                    mask = constraint.mask(at);
                } catch (ConstraintException tooMuch) {
                    // Whoever comes to this place is told.
                    return i + 1;
                }
            }
        }
        return count;
    }

    /**
     * Whether a token stands for text, and is not one that only ever ends an output.
     *
     * @param id a token id
     * @return whether it may be part of an output
     */
    public boolean isText(int id) {
        return constraint.isText(id);
    }

    /**
     * Whether the output may end here. After {@link #await}.
     *
     * @return whether it is complete
     */
    public boolean mayEnd() {
        return position.accepting;
    }

    /**
     * Whether the output can only end here. After {@link #await}.
     *
     * @return whether nothing may follow
     */
    public boolean mustEnd() {
        return position.accepting && position.frames.length == 0;
    }
}
