package org.maniple.moe.ep;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.function.LongFunction;
import org.maniple.api.collective.Communicator;

/**
 * Messages between pairs of ranks. At once: into room for the most there can be, empty ones as well. Or the ranks first tell each other 4 bytes, the
 * size of what comes, and empty messages are not sent.
 */
final class Hop {

    private static final long[] NOT_TOLD = {};

    private final Communicator communicator;
    private final Communicator.Group group;
    private final boolean[] to;
    private final boolean[] from;
    private final Room sizesOut;
    private final Room sizesIn;
    private final long[] sizesOutBytes;
    private final long[] sizesInBytes;
    private Communicator.Begun begun = Communicator.Begun.OVER;
    /** How many bytes come from each rank, if these have been told before. */
    private long[] told = NOT_TOLD;

    /**
     * Messages of some ranks to some.
     *
     * @param to by position: whether this rank may have a message for that one; not for itself
     * @param from by position: whether that rank may have one for this one
     */
    Hop(Communicator communicator, Communicator.Group group, boolean[] to, boolean[] from, LongFunction<MemorySegment> memory) {
        this.communicator = communicator;
        this.group = group;
        this.to = to.clone();
        this.from = from.clone();
        this.sizesOut = new Room(to.length, memory);
        this.sizesIn = new Room(to.length, memory);
        this.sizesOutBytes = new long[to.length];
        this.sizesInBytes = new long[to.length];
        for (int i = 0; i < to.length; i++) {
            sizesOut.atLeast(i, Integer.BYTES);
            sizesIn.atLeast(i, Integer.BYTES);
        }
    }

    /** As {@link #beginAtOnce}, to the end. */
    long atOnce(Room out, long[] outBytes, Room in, long[] inBytes, long[] most) {
        long sent = beginAtOnce(out, outBytes, in, inBytes, most);
        end();
        return sent;
    }

    /** As {@link #beginSizesFirst}, to the end. */
    long sizesFirst(Room out, long[] outBytes, Room in, long[] inBytes) {
        long sent = beginSizesFirst(out, outBytes, in, inBytes);
        end();
        return sent;
    }

    /** Sends at once; {@code most} has the most bytes that may come, by the rank that they come from. Says how many are sent. */
    long beginAtOnce(Room out, long[] outBytes, Room in, long[] inBytes, long[] most) {
        long sent = 0;
        for (int i = 0; i < to.length; i++) {
            inBytes[i] = from[i] ? 0 : -1;
            in.atLeast(i, from[i] ? most[i] : 0);
            outBytes[i] = only(to[i], outBytes[i]);
            sent += Math.max(0, to[i] ? outBytes[i] : 0);
        }
        told = NOT_TOLD;
        begun = communicator.beginExchange(group, out.memory, outBytes, in.memory, inBytes);
        return sent;
    }

    /** Messages for nobody are kept for the caller, who knows: its own. */
    private static long only(boolean partner, long bytes) {
        return partner ? Math.max(0, bytes) : bytes;
    }

    /** Tells sizes and waits for those of the others, then sends. Says how many bytes are sent. */
    long beginSizesFirst(Room out, long[] outBytes, Room in, long[] inBytes) {
        long sent = 0;
        for (int i = 0; i < to.length; i++) {
            sizesOut.memory[i].set(JAVA_INT_UNALIGNED, 0, Math.toIntExact(Math.max(0, outBytes[i])));
            sizesOutBytes[i] = to[i] ? Integer.BYTES : -1;
            sizesInBytes[i] = from[i] ? 0 : -1;
            sent += to[i] ? Integer.BYTES + Math.max(0, outBytes[i]) : 0;
        }
        communicator.exchange(group, sizesOut.memory, sizesOutBytes, sizesIn.memory, sizesInBytes);
        for (int i = 0; i < to.length; i++) {
            int coming = from[i] ? size(i) : 0;
            in.atLeast(i, coming);
            inBytes[i] = coming == 0 ? -1 : coming;
            if (outBytes[i] == 0) {
                outBytes[i] = -1;
            }
        }
        told = inBytes;
        begun = communicator.beginExchange(group, out.memory, outBytes, in.memory, inBytes);
        return sent;
    }

    /** Waits until everything has come that was begun last. */
    void end() {
        begun.end();
        for (int i = 0; i < told.length; i++) {
            if (from[i] && told[i] > 0 && told[i] != size(i)) {
                throw new IllegalStateException("rank " + group.ranks().get(i) + " has sent " + told[i]
                        + " bytes of tokens, not " + size(i) + " as it said");
            }
        }
    }

    private int size(int position) {
        int bytes = sizesIn.memory[position].get(JAVA_INT_UNALIGNED, 0);
        if (bytes < 0) {
            throw new IllegalStateException(
                    "rank " + group.ranks().get(position) + " says that it sends " + bytes + " bytes of tokens");
        }
        return bytes;
    }
}
