package org.maniple.api.transport;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * The data links of a rank. All methods but {@link #abort}, {@link #standing}, {@link #sentBytes} and {@link #receivedBytes} are called by one thread, the
 * rank's own, which also drives progress: nothing moves but within calls of {@link #progress} and {@link #await}. No method allocates on
 * the heap once the wire is warm.
 *
 * <p>A frame carries its tag and its length, and a checksum if it leaves the host. A frame that is not the expected one is an error that names
 * both.
 */
public interface Wire extends AutoCloseable {

    /**
     * This rank.
     *
     * @return its number
     */
    int rank();

    /**
     * Memory that frames can be sent from and received into without a copy.
     *
     * @param bytes how much; may be 0
     * @return zeroed, aligned to 64 bytes, valid until the wire is closed
     */
    MemorySegment allocate(long bytes);

    /**
     * Begins to send a frame.
     *
     * @param peer a connected rank
     * @param tag see {@link Tag}
     * @param data the payload; must stay unchanged until the result is {@link Pending#done()}. Any native memory will do
     * @return to be awaited; valid until then
     */
    Pending send(int peer, long tag, MemorySegment data);

    /**
     * Begins to receive a frame of exactly the segment's size.
     *
     * @param peer a connected rank
     * @param tag the tag that the frame must have
     * @param into where the payload goes; any native memory will do
     * @return to be awaited; valid until then
     */
    Pending receive(int peer, long tag, MemorySegment into);

    /**
     * Begins to receive a frame of at most the segment's size.
     *
     * @param peer a connected rank
     * @param tag the tag that the frame must have
     * @param into where the payload goes; any native memory will do
     * @return to be awaited; {@link Pending#bytes()} then tells the size
     */
    Pending receiveUpTo(int peer, long tag, MemorySegment into);

    /**
     * Moves what can be moved, without waiting.
     *
     * @return whether anything moved
     */
    boolean progress();

    /**
     * Drives progress until something is done.
     *
     * @param pending what to wait for
     * @param limitNanos after which to give up; {@link Long#MAX_VALUE}: never, if something else watches over the peer
     * @throws TransportException if the peer is gone, the frame is not the expected one, the limit is over, or the wire was
     *     aborted; names the rank and the operation
     */
    void await(Pending pending, long limitNanos);

    /**
     * Drives progress until something is done, but only for a while, for a thread that has something else to drive as well.
     *
     * @param pending what to wait for; if it is done, it counts as awaited
     * @param nanos how long
     * @return whether it is done
     * @throws TransportException as {@link #await}, but not because the time is over
     */
    default boolean linger(Pending pending, long nanos) {
        long start = System.nanoTime();
        while (!pending.done()) {
            if (!progress() && System.nanoTime() - start >= nanos) {
                return false;
            }
        }
        await(pending, Long.MAX_VALUE);
        return true;
    }

    /**
     * Which ranks share memory with each other.
     *
     * @param anyRank a rank of the unit, connected or not
     * @return a rank of its island: the same for all ranks between which there can be a {@linkplain #window window}, and on all ranks
     */
    default int island(int anyRank) {
        return anyRank;
    }

    /**
     * Memory in which ranks of one island show each other what they have, for collective operations. All of them ask for it.
     *
     * @param id a number that the ranks agree on, different from those of other windows; from 1 to 65535
     * @param ranks ascending; this rank is among them
     * @return the window, if they are on one {@linkplain #island island}; the same one when asked again
     */
    default Optional<Window> window(int id, List<Integer> ranks) {
        return Optional.empty();
    }

    /**
     * Makes every present and future call fail. May be called by any thread, and more than once; the first reason stays.
     *
     * @param reason why, as a sentence
     */
    void abort(String reason);

    /**
     * Bytes sent to a peer so far, with headers.
     *
     * @param peer a connected rank
     * @return bytes
     */
    long sentBytes(int peer);

    /**
     * Bytes received from a peer so far, with headers.
     *
     * @param peer a connected rank
     * @return bytes
     */
    long receivedBytes(int peer);

    /**
     * How long {@link #await} has waited so far while nothing moved. Called by the rank's own thread.
     *
     * @return nanoseconds; always 0 if this wire does not measure it
     */
    default long waitedNanos() {
        return 0;
    }

    /**
     * How far the rank's own thread has come. May be called by any thread; what it says may be a moment old.
     *
     * @return what the thread waits for, for example {@code rank 1 (10.0.0.2:29501) has not sent all_reduce#118 of group 3 with 4096 bytes}, or
     *     what it has waited for last, for example {@code rank 0 has come to all_reduce#118 of group 3}; empty if that is not known
     */
    default String standing() {
        return "";
    }

    /**
     * Over what a peer is reached.
     *
     * @param peer a connected rank
     * @return the transport's name, and after it what distinguishes links of this transport, for example {@code tcp eth0 10.0.0.2}
     */
    String path(int peer);

    @Override
    void close();

    /** A frame on its way, or something else that a rank waits for. */
    interface Pending {
        /**
         * Whether it has come to pass. A frame has then been handed over completely: its memory may be used again.
         *
         * @return whether it has
         */
        boolean done();

        /**
         * The size of its payload, once it is done.
         *
         * @return bytes
         */
        long bytes();
    }
}
