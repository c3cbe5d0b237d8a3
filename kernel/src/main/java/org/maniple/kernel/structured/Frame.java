package org.maniple.kernel.structured;

import org.jspecify.annotations.Nullable;

/**
 * A state of the network and where to go on when its rule has ended: a stack, as a list that shares its tail with others. The automaton
 * makes equal ones the same, so that tails are compared by identity.
 */
final class Frame implements Comparable<Frame> {

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

    /** An order that depends on the states alone, so that a set of frames has one order however it was found. */
    @Override
    @SuppressWarnings("ReferenceEquality") // parents are unique
    public int compareTo(Frame other) {
        Frame one = this;
        Frame two = other;
        while (one != two) {
            int order = Integer.compare(one.hash, two.hash);
            if (order == 0) {
                order = Integer.compare(one.state, two.state);
            }
            if (order != 0 || one.parent == two.parent) {
                return order;
            }
            if (one.parent == null || two.parent == null) {
                return one.parent == null ? -1 : 1;
            }
            one = one.parent;
            two = two.parent;
        }
        return 0;
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
