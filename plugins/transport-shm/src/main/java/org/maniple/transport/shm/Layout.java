package org.maniple.transport.shm;

/**
 * Where things are in the memory that a rank shows to others:
 *
 * <pre>
 *  0        magic number, 8 version, 12 ranks, 32 nonce, 64 proof of the owner
 *  128      bell: changes when the owner is to wake up
 *  256      whether the owner sleeps
 *  384      whether the owner has closed
 *  4096     windows: number, place
 *  …        for each rank: 0 whether it is attached, 32 its nonce, 64 its proof
 *  …        for each rank: the ring of frames that it sends to the owner
 *  …        memory of windows
 * </pre>
 *
 * What is written by different ranks is on different cache lines, and in different pairs of them, since processors fetch pairs. Pages that
 * are never touched take no memory, so there may be room for more than a unit ever uses.
 *
 * @param ranks of the unit
 */
record Layout(int ranks) {

    static final long MAGIC = 0x314d48532e6e616dL;
    static final int VERSION = 1;
    static final long AT_VERSION = 8;
    static final long AT_RANKS = 12;
    static final long AT_NONCE = 32;
    static final long AT_PROOF = 64;
    static final long AT_BELL = 128;
    static final long AT_ASLEEP = 256;
    static final long AT_CLOSED = 384;

    /** Line size times two. */
    static final long APART = 128;

    static final int WINDOWS = 128;
    private static final long DIRECTORY = 4096;
    private static final long ENTRY = 16;

    static final long GUEST_NONCE = 32;
    static final long GUEST_PROOF = 64;

    /** Of a ring; a power of two. Larger frames pass through it in pieces, while it stays in the cache. */
    static final long RING = 256 << 10;
    /** Where a ring has been filled to, then where it has been emptied to, then the bytes. */
    static final long RING_HEAD = 0;
    static final long RING_TAIL = APART;
    static final long RING_DATA = 2 * APART;

    /** What a rank shows in one round of a window. */
    static final long SHOWN = 256 << 10;
    /** The number of the round, then a head for every other round, then the memory for every other round. */
    static final long WINDOW_ROUND = 0;
    static final long WINDOW_HEADS = APART;
    static final long WINDOW_DATA = 4 * APART;
    static final long WINDOW = WINDOW_DATA + 2 * SHOWN;

    long entry(int index) {
        return DIRECTORY + index * ENTRY;
    }

    long guest(int rank) {
        return entry(WINDOWS) + rank * APART;
    }

    long ring(int from) {
        return page(guest(ranks)) + from * (RING_DATA + RING);
    }

    long windows() {
        return page(ring(ranks));
    }

    long bytes() {
        return page(windows() + WINDOWS * WINDOW);
    }

    /** At most so much is touched for the frames that some ranks send to one of them, and for some windows. */
    static long touched(int ranksHere, int windows) {
        return ranksHere * ((ranksHere - 1) * (RING_DATA + RING) + windows * WINDOW);
    }

    private static long page(long bytes) {
        return bytes + 4095 & -4096;
    }
}
