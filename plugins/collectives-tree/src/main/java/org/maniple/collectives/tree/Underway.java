package org.maniple.collectives.tree;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.maniple.api.collective.Communicator;
import org.maniple.api.transport.Wire;

/** An operation of a group that has been begun, and what it needs until it is over. Used again afterwards. */
final class Underway implements Communicator.Begun {

    private static final long[] NONE = {};

    /** What is to be done when everything has arrived. */
    enum Rest {
        /** Nothing. */
        NOTHING,
        /** The addends become the sum. */
        SUM,
        /** So they do, and the sums of all ranks are collected. */
        SUM_AND_GATHER,
        /** The sizes of what has arrived are noted. */
        SIZES
    }

    final GroupState state;
    /** Lent for the operation. */
    Buffers buffers;
    /** By position; the own one stays empty. */
    final Wire.@Nullable Pending[] sends;
    final Wire.@Nullable Pending[] receives;
    /** By position: what is added. */
    final MemorySegment[] addends;
    /** By position: parts of floats that are split as evenly as possible. */
    final long[] evenBytes;
    Rest rest = Rest.NOTHING;
    /** The size of each addend. */
    long bytes;
    MemorySegment sum = MemorySegment.NULL;
    /** Where sums are collected, and by what tag. */
    MemorySegment whole = MemorySegment.NULL;
    long gatherTag;
    long[] sizes = NONE;
    private final Consumer<Underway> end;

    Underway(GroupState state, Buffers buffers, Consumer<Underway> end) {
        this.state = state;
        this.buffers = buffers;
        this.end = end;
        this.sends = new Wire.Pending[state.size];
        this.receives = new Wire.Pending[state.size];
        this.addends = new MemorySegment[state.size];
        this.evenBytes = new long[state.size];
    }

    void sumWhenThere(Rest what, long addendBytes, MemorySegment into) {
        rest = what;
        bytes = addendBytes;
        sum = into;
    }

    /** Splits floats as evenly as possible. */
    void splitEvenly(long allBytes) {
        long floats = allBytes / Float.BYTES;
        for (int i = 0; i < state.size; i++) {
            evenBytes[i] = (floats * (i + 1) / state.size - floats * i / state.size) * Float.BYTES;
        }
    }

    @Override
    public void end() {
        end.accept(this);
    }
}
