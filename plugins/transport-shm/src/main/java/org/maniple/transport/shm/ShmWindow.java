package org.maniple.transport.shm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.Window;
import org.maniple.api.transport.Wire;

/**
 * Memory of which each rank has a part in its own segment. Rounds are counted; what belongs to a round is in one of two places in turn: a rank
 * begins a round only after it has seen all others in the one before, and so they are through with what it showed two rounds ago.
 */
final class ShmWindow implements Window {

    private static final long HEAD = 64;

    private final int id;
    private final int rank;
    private final List<Integer> ranks;
    private final int position;
    /** By position; the own one is empty. */
    private final @Nullable Arrival[] arrivals;
    private final @Nullable ShmLink[] links;
    /** By position: where the memory of the rounds is, once its rank has opened the window. */
    private final @Nullable MemorySegment[] parts;
    private final MemorySegment[][] shown;
    /** By position: the last round of which tag and size have been compared. */
    private final long[] compared;
    private final MemorySegment own;
    private long round;
    private long tag;
    private long bytes;

    /**
     * Opens a window.
     *
     * @param rank this rank
     * @param own its memory of the window
     * @param links with the other ranks, by position
     */
    ShmWindow(int id, int rank, List<Integer> ranks, MemorySegment own, @Nullable ShmLink[] links) {
        this.id = id;
        this.rank = rank;
        this.ranks = List.copyOf(ranks);
        this.position = ranks.indexOf(rank);
        this.own = own;
        this.links = links;
        this.arrivals = new Arrival[links.length];
        this.parts = new MemorySegment[links.length];
        this.shown = new MemorySegment[links.length][2];
        this.compared = new long[links.length];
        for (int i = 0; i < links.length; i++) {
            ShmLink link = links[i];
            if (link != null) {
                arrivals[i] = new Arrival(this, i, link);
            }
        }
        found(position, own);
    }

    List<Integer> ranks() {
        return ranks;
    }

    private void found(int at, MemorySegment part) {
        parts[at] = part;
        for (int i = 0; i < 2; i++) {
            shown[at][i] = part.asSlice(Layout.WINDOW_DATA + i * Layout.SHOWN, Layout.SHOWN);
        }
    }

    @Override
    public long bytes() {
        return Layout.SHOWN;
    }

    @Override
    public MemorySegment own() {
        return shown[position][(int) (round + 1 & 1)];
    }

    @Override
    public void publish(long newTag, long size, long written) {
        round++;
        tag = newTag;
        bytes = size;
        long head = Layout.WINDOW_HEADS + (round & 1) * HEAD;
        own.set(ValueLayout.JAVA_LONG, head, tag);
        own.set(ValueLayout.JAVA_LONG, head + Long.BYTES, bytes);
        own.set(ValueLayout.JAVA_LONG, head + 2 * Long.BYTES, written);
        Segment.LONG.setRelease(own, Layout.WINDOW_ROUND, round);
        VarHandle.fullFence();
        for (ShmLink link : links) {
            if (link != null) {
                link.shown(written);
            }
        }
    }

    @Override
    public Wire.Pending arrival(int of) {
        Arrival arrival = arrivals[of];
        if (arrival == null) {
            throw new IllegalArgumentException("rank " + rank + " does not wait for itself");
        }
        return arrival;
    }

    @Override
    public MemorySegment of(int at) {
        return shown[at][(int) (round & 1)];
    }

    boolean arrived(int at) {
        MemorySegment part = parts[at];
        ShmLink link = links[at];
        if (link == null) {
            return true;
        }
        if (part == null) {
            part = find(link);
            if (part == null) {
                return false;
            }
            found(at, part);
        }
        if ((long) Segment.LONG.getAcquire(part, Layout.WINDOW_ROUND) < round) {
            return false;
        }
        if (compared[at] != round) {
            long head = Layout.WINDOW_HEADS + (round & 1) * HEAD;
            long theirTag = part.get(ValueLayout.JAVA_LONG, head);
            long theirBytes = part.get(ValueLayout.JAVA_LONG, head + Long.BYTES);
            if (theirTag != tag || theirBytes != bytes) {
                link.fail(link + " sent " + Tag.describe(theirTag) + " with " + theirBytes + " bytes, but rank " + rank
                        + " expects "
                        + Tag.describe(tag) + " with " + bytes + " bytes");
                return false;
            }
            compared[at] = round;
            link.seen(part.get(ValueLayout.JAVA_LONG, head + 2 * Long.BYTES));
        }
        return true;
    }

    private @Nullable MemorySegment find(ShmLink link) {
        MemorySegment memory = link.theirs().memory();
        Layout layout = link.theirs().layout();
        for (int i = 0; i < Layout.WINDOWS; i++) {
            long at = layout.entry(i);
            long known = (long) Segment.LONG.getAcquire(memory, at);
            if (known == id) {
                return memory.asSlice(memory.get(ValueLayout.JAVA_LONG, at + Long.BYTES), Layout.WINDOW);
            }
            if (known == 0) {
                return null;
            }
        }
        return null;
    }

    long bytesOfRound() {
        return bytes;
    }

    @Override
    public String toString() {
        return Tag.describe(tag) + " with " + bytes + " bytes";
    }
}
