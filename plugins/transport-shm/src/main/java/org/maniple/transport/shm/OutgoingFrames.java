package org.maniple.transport.shm;

import java.util.ArrayDeque;
import java.util.Queue;

/** Puts frames into the ring of a peer, in order, as far as there is room. */
final class OutgoingFrames extends Ring {

    private final Queue<Frame> frames = new ArrayDeque<>();
    private long position;
    private long emptied;
    private boolean begun;
    private long done;

    OutgoingFrames(Segment receiver, int sender) {
        super(receiver, sender);
    }

    /** Whether it is the only one. */
    boolean add(Frame frame) {
        frames.add(frame);
        return frames.size() == 1;
    }

    /** How many bytes of frames have been put into the ring now. */
    long flush() {
        long before = position;
        for (Frame frame = frames.peek(); frame != null && advance(frame);) {
            frame = frames.peek();
        }
        return position - before;
    }

    private boolean advance(Frame frame) {
        long size = frame.segment().byteSize();
        if (!begun) {
            if (room(HEADER) < HEADER) {
                return false;
            }
            put(position, frame.tag());
            put(position + Long.BYTES, size);
            position += HEADER;
            done = 0;
            begun = true;
        }
        long piece = Math.min(Math.min(size - done, PIECE), room(Math.min(size - done, PIECE)));
        write(position, frame.segment(), done, piece);
        done += piece;
        position += piece;
        if (done == size) {
            position = aligned(position);
            frames.remove();
            frame.complete(size);
            begun = false;
        }
        head(position);
        return piece > 0 || !begun;
    }

    private long room(long wanted) {
        long room = Layout.RING - (position - emptied);
        if (room < wanted) {
            emptied = tail();
            room = Layout.RING - (position - emptied);
        }
        return room;
    }
}
