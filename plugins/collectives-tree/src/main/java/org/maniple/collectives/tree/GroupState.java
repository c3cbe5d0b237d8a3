package org.maniple.collectives.tree;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.maniple.api.collective.Communicator;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.Window;

/** What a rank keeps about a group: how many operations there were, and room for what is under way. */
final class GroupState {

    final Communicator.Group group;
    final int size;
    final int position;
    final int[] ranks;
    /** By position: what is added by operations in shared memory. */
    final MemorySegment[] addends;
    /** Operations that were begun and are over. */
    final Queue<Underway> idle = new ArrayDeque<>();
    final Islands islands;
    /** The ranks of the group that share memory with this one; this one among them. */
    final Communicator.Group island;
    /** Shared with the ranks of this island, if there are others. */
    final @Nullable Window window;
    private long sequence;

    GroupState(Communicator.Group group, Islands islands, @Nullable Window window) {
        this.group = group;
        this.islands = islands;
        this.island = new Communicator.Group(group.id(), islands.mine, islands.mine.indexOf(group.ranks().get(group.position())));
        this.window = window;
        this.size = group.size();
        this.position = group.position();
        this.ranks = group.ranks().stream().mapToInt(Integer::intValue).toArray();
        this.addends = new MemorySegment[size];
    }

    /** Begins the next operation. */
    long next(Tag.Operation operation) {
        sequence++;
        return tag(operation);
    }

    /** Another exchange within the same operation. */
    long tag(Tag.Operation operation) {
        return Tag.of(operation, group.id(), sequence);
    }

    /** Checks sizes of parts, for an error before anything is sent. */
    void checkParts(String operation, long[] partBytes, long bytes, String what) {
        long sum = 0;
        for (long part : partBytes) {
            sum = part < 0 ? Long.MIN_VALUE : Math.addExact(sum, part);
        }
        if (partBytes.length != size || sum != bytes) {
            throw new IllegalArgumentException(operation + " of " + this + ": " + partBytes.length + " parts of "
                    + java.util.Arrays.toString(partBytes) + " bytes do not make up the " + bytes + " bytes " + what);
        }
    }

    /** Checks that an array has something for each position. */
    void checkPositions(String operation, int length) {
        if (length != size) {
            throw new IllegalArgumentException(
                    operation + " of " + this + ": an array has " + length + " elements for " + size + " positions");
        }
    }

    /** Checks one size. */
    void checkSize(String operation, long bytes, long expected, String what) {
        if (bytes != expected) {
            throw new IllegalArgumentException(
                    operation + " of " + this + ": " + what + " has " + bytes + " bytes instead of " + expected);
        }
    }

    /** Checks that memory holds whole floats. */
    void checkFloats(String operation, long bytes) {
        if (bytes % Float.BYTES != 0) {
            throw new IllegalArgumentException(operation + " of " + this + ": " + bytes + " bytes are not a number of floats");
        }
    }

    @Override
    public String toString() {
        return "group " + group.id() + " " + List.copyOf(group.ranks());
    }
}
