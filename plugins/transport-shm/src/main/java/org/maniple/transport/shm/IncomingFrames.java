package org.maniple.transport.shm;

import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.Tag;

/** Takes frames out of a ring, into the memory that waits for them. Nothing is taken while nobody expects anything. */
final class IncomingFrames extends Ring {

    private final int own;
    private final Queue<Frame> expected = new ArrayDeque<>();
    private long position;
    private boolean inFrame;
    private long length;
    private long filled;
    private @Nullable String mistake;

    IncomingFrames(Segment receiver, int own, int sender) {
        super(receiver, sender);
        this.own = own;
    }

    void add(Frame frame) {
        expected.add(frame);
    }

    /** How many bytes have been taken now. */
    long receive() {
        long before = position;
        for (Frame into = expected.peek(); into != null && advance(into);) {
            into = expected.peek();
        }
        return position - before;
    }

    /** What is wrong with the frame that has come last: it is not the one that was expected. */
    @Nullable
    String mistake() {
        return mistake;
    }

    private boolean advance(Frame into) {
        long available = head() - position;
        if (!inFrame) {
            if (available < HEADER || mistake != null) {
                return false;
            }
            length = get(position + Long.BYTES);
            long tag = get(position);
            if (tag != into.tag() || !into.fits(length)) {
                mistake = "sent " + Tag.describe(tag) + " with " + length + " bytes, but rank " + own + " expects " + into;
                return false;
            }
            position += HEADER;
            available -= HEADER;
            filled = 0;
            inFrame = true;
        }
        long piece = Math.min(Math.min(available, length - filled), PIECE);
        read(position, into.segment(), filled, piece);
        position += piece;
        filled += piece;
        if (filled == length) {
            position = aligned(position);
            expected.remove();
            into.complete(length);
            inFrame = false;
        }
        tail(position);
        return piece > 0 || !inFrame;
    }
}
