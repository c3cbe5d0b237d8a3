package org.maniple.api.transport;

import java.lang.foreign.MemorySegment;

/**
 * Memory in which ranks of one host show each other what they have, round by round. In each round a rank writes into its {@link #own} memory,
 * {@linkplain #publish publishes} it, waits for the {@linkplain #arrival arrival} of each other rank, and reads {@linkplain #of what these
 * have written} before it publishes again. Every rank takes part in every round, with or without something to show; then two rounds cannot
 * disturb each other.
 *
 * <p>For use by the thread that uses the wire. No method allocates on the heap.
 */
public interface Window {

    /** The smallest that a window is: 256 KiB. */
    long SMALLEST = 256 << 10;

    /**
     * How much a rank can show in one round.
     *
     * @return bytes, at least {@link #SMALLEST}
     */
    long bytes();

    /**
     * This rank's memory for the next round.
     *
     * @return {@link #bytes} bytes, aligned to 64
     */
    MemorySegment own();

    /**
     * Shows what has been written into the {@linkplain #own own} memory to the other ranks, and begins a round.
     *
     * @param tag what this is for; see {@link Tag}
     * @param bytes a size that is the same on all ranks; like the tag, it is compared
     * @param written how many bytes of its memory this rank has written; only counted
     */
    void publish(long tag, long bytes, long written);

    /**
     * The other rank's part in the round that has begun last.
     *
     * @param position of the rank, among those of the window; not this rank's
     * @return to be awaited with {@link Wire#await}, which fails if tag or size are not the same there
     */
    Wire.Pending arrival(int position);

    /**
     * What a rank shows in the round that has begun last.
     *
     * @param position of a rank that has arrived, or this rank's
     * @return its memory, not to be written; valid until this rank publishes again
     */
    MemorySegment of(int position);
}
