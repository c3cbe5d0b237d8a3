package org.maniple.transport.rdma;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.Tag;

/**
 * Receives frames, in order, into the memory that waits for them. UCX always has memory for the head of the next frame, and for a large payload
 * as soon as somebody expects it.
 */
final class IncomingFrames extends Lane {

    /** A request that was over at once, which must not look like none at all. */
    private static final long DONE = -1;

    private final int own;
    private final Queue<Frame> expected = new ArrayDeque<>();
    private final Envelope head;
    private final Envelope seal;
    private final long[] pieces = new long[PIECES];
    private long heading;
    private boolean listening;
    private boolean opened;
    private long sealing;
    private boolean sealExpected;
    private long frame;
    /** Of the payload: asked for, and there. */
    private long asked;
    private long filled;
    /** The piece that is to come next. */
    private int piece;
    private int nextPiece;
    private long moved;

    IncomingFrames(Worker worker, Memory memory, Views views, int own, int sender, long first, boolean checked) {
        super(worker, memory, views, sender, first, checked);
        this.own = own;
        this.head = new Envelope(memory.allocate(Envelope.BYTES));
        this.seal = new Envelope(memory.allocate(Envelope.BYTES));
    }

    void add(Frame added) {
        expected.add(added);
    }

    /** How many bytes have come now. */
    long receive() throws UcxException, BadFrameException {
        moved = 0;
        // Not after the last one: whoever waits for that has something better to do first.
        listen();
        Frame into = expected.peek();
        while (into != null && advance(into)) {
            expected.remove();
            into = expected.peek();
            if (into != null) {
                listen();
            }
        }
        return moved;
    }

    private void listen() throws UcxException {
        if (!listening) {
            heading = worker.receive(head.address(), Envelope.BYTES, next(), worker.plain());
            listening = true;
            opened = false;
            sealExpected = false;
            asked = 0;
            filled = 0;
            piece = 0;
            nextPiece = 0;
        }
    }

    /** Whether the frame is complete. */
    private boolean advance(Frame into) throws UcxException, BadFrameException {
        MemorySegment target = into.segment();
        if (into.exact() && target.byteSize() > Envelope.SMALL && asked == 0) {
            ask(target, target.byteSize());
        }
        if (!opened) {
            if (heading != NONE && !worker.done(heading)) {
                return false;
            }
            heading = NONE;
            open(into);
        }
        long bytes = head.bytes();
        if (bytes <= Envelope.SMALL) {
            head.read(target);
            moved += bytes;
        } else if (!body(target, bytes)) {
            return false;
        }
        listening = false;
        into.complete(bytes);
        return true;
    }

    private void open(Frame into) throws BadFrameException {
        if (!head.intact(frame, checked, crc)) {
            throw new BadFrameException("sent " + into + " with a wrong head or checksum: it was corrupted on the way");
        }
        if (head.tag() != into.tag() || !into.fits(head.bytes())) {
            throw new BadFrameException("sent " + Tag.describe(head.tag()) + " with " + head.bytes() + " bytes, but rank " + own
                    + " expects " + into);
        }
        crc.reset();
        frame++;
        opened = true;
        moved += Envelope.HEAD;
    }

    /** Has receives for so many pieces of the payload as may be under way. */
    private void ask(MemorySegment target, long bytes) throws UcxException {
        while (asked < bytes && pieces[nextPiece] == NONE) {
            long size = piece(asked, bytes);
            long address = target.address() + asked;
            pieces[nextPiece] = there(worker.receive(address, size, next(), memory.describe(address, size)));
            asked += size;
            nextPiece = (nextPiece + 1) % PIECES;
        }
        if (checked && bytes > PIECE && asked == bytes && !sealExpected) {
            sealing = worker.receive(seal.address(), Envelope.SEAL, next(), worker.plain());
            sealExpected = true;
        }
    }

    private static long there(long request) {
        return request == NONE ? DONE : request;
    }

    private boolean body(MemorySegment target, long bytes) throws UcxException, BadFrameException {
        ask(target, bytes);
        while (filled < bytes && pieces[piece] != NONE && (pieces[piece] == DONE || worker.done(pieces[piece]))) {
            long size = piece(filled, bytes);
            if (checked) {
                views.update(crc, target, filled, size);
            }
            filled += size;
            moved += size;
            pieces[piece] = NONE;
            piece = (piece + 1) % PIECES;
            ask(target, bytes);
        }
        if (filled < bytes) {
            return false;
        }
        return !checked || (bytes <= PIECE ? announced(bytes) : sealed(bytes));
    }

    private boolean announced(long bytes) throws BadFrameException {
        check(head.announced(crc), bytes);
        return true;
    }

    private boolean sealed(long bytes) throws UcxException, BadFrameException {
        if (sealing != NONE && !worker.done(sealing)) {
            return false;
        }
        sealing = NONE;
        moved += Envelope.SEAL;
        check(seal.seals(crc), bytes);
        return true;
    }

    private static void check(boolean intact, long bytes) throws BadFrameException {
        if (!intact) {
            throw new BadFrameException("sent " + bytes + " bytes with a wrong checksum: they were corrupted on the way");
        }
    }

    /** The frame that is next. */
    @Nullable
    Frame first() {
        return expected.peek();
    }

    /** The requests that are under way: no memory is written any more once they are over. */
    void forget(LongConsumer request) {
        for (int i = 0; i < PIECES; i++) {
            if (pieces[i] != NONE && pieces[i] != DONE) {
                request.accept(pieces[i]);
            }
            pieces[i] = NONE;
        }
        if (heading != NONE) {
            request.accept(heading);
            heading = NONE;
        }
        if (sealing != NONE) {
            request.accept(sealing);
            sealing = NONE;
        }
        expected.clear();
    }
}
