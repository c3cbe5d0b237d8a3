package org.maniple.transport.rdma;

import java.util.zip.CRC32C;

/** One direction of a link: its messages carry consecutive numbers in their tags, which both ends count. */
abstract sealed class Lane permits OutgoingFrames, IncomingFrames {

    /** No request. */
    static final long NONE = 0;
    /** Of a large payload whose checksum is computed on the way: while one piece travels, the next one is looked at. */
    static final long PIECE = 64 << 10;
    /** Pieces under way at a time. */
    static final int PIECES = 4;

    private static final int RANK_SHIFT = 48;
    private static final long NUMBER_MASK = (1L << RANK_SHIFT) - 1;

    final Worker worker;
    final Memory memory;
    final Views views;
    final boolean checked;
    final CRC32C crc = new CRC32C();
    private final long sender;
    private long number;

    /**
     * A direction.
     *
     * @param sender the rank that sends
     * @param first the number of the first message, which only the two ranks know
     * @param checked whether frames carry checksums
     */
    Lane(Worker worker, Memory memory, Views views, int sender, long first, boolean checked) {
        this.worker = worker;
        this.memory = memory;
        this.views = views;
        this.sender = sender;
        this.number = first;
        this.checked = checked;
    }

    /** The tag of the next message. */
    final long next() {
        return tag(sender, number++);
    }

    /** The tag of a message. */
    static long tag(long sender, long number) {
        return sender << RANK_SHIFT | number & NUMBER_MASK;
    }

    /** The size of the piece of a payload that begins there. */
    final long piece(long from, long bytes) {
        return checked ? Math.min(PIECE, bytes - from) : bytes - from;
    }
}
