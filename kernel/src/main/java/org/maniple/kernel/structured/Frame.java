package org.maniple.kernel.structured;

import org.jspecify.annotations.Nullable;

/**
 * A state of the network and where to go on when its rule has ended: a stack, as a list that shares its tail with others. The automaton
 * makes equal ones the same, so that tails are compared by identity.
 */
final class Frame {

    final int state;
    final @Nullable Frame parent;
    private final int hash;

    Frame(int state, @Nullable Frame parent) {
        this.state = state;
        this.parent = parent;
        hash = 31 * (parent == null ? 7 : parent.hash) + state * 0x9E3779B9;
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // parents are unique
    public boolean equals(Object other) {
        return other instanceof Frame frame && frame.state == state && frame.parent == parent;
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
