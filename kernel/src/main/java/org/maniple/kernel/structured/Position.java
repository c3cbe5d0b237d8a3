package org.maniple.kernel.structured;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Where an automaton can be after some bytes: the frames whose states read bytes, and whether the text may end here. What follows upon
 * which byte is filled in as it is asked for. Guarded by the automaton's monitor.
 */
final class Position {

    final Frame[] frames;
    final boolean accepting;
    /** The generation of the automaton that made it. */
    final int generation;
    final @Nullable Position[] next;
    long @Nullable [] mask;

    private final int hash;

    Position(Frame[] frames, boolean accepting, int generation, int classes) {
        this.frames = frames;
        this.accepting = accepting;
        this.generation = generation;
        next = new Position[classes];
        hash = 2 * Arrays.hashCode(frames) + (accepting ? 1 : 0);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Position position && position.accepting == accepting && Arrays.equals(position.frames, frames);
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
