package org.maniple.transport.rdma;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Sends frames, in order. A small one is done when UCX has passed it on; but a sender that is too far ahead is held up, because now and then a message
 * is under way until its receiver asks for it.
 */
final class OutgoingFrames extends Lane {

    private static final int ENVELOPES = 32;
    private static final int ALL_USED = -1;
    private static final int SYNCHRONOUS_EVERY = 16;

    private final long endpoint;
    private final Queue<Frame> frames = new ArrayDeque<>();
    private final Envelope[] envelopes = new Envelope[ENVELOPES];
    private final long[] sending = new long[ENVELOPES];
    private final long[] pieces = new long[PIECES];
    private long sentMessages;
    /** The envelope of the first frame, and whether its message is a synchronous one. */
    private int heading;
    private boolean synchronous;
    private long frame;
    /** The first frame has a head under way already. */
    private boolean begun;
    private boolean sealed;
    private long posted;
    private long moved;

    OutgoingFrames(Worker worker, Memory memory, Views views, int sender, long first, boolean checked, long endpoint) {
        super(worker, memory, views, sender, first, checked);
        this.endpoint = endpoint;
        MemorySegment all = memory.allocate((long) ENVELOPES * Envelope.BYTES);
        for (int i = 0; i < ENVELOPES; i++) {
            envelopes[i] = new Envelope(all.asSlice((long) i * Envelope.BYTES, Envelope.BYTES));
        }
    }

    boolean add(Frame added) {
        frames.add(added);
        return frames.size() == 1;
    }

    /** How many bytes have been handed to UCX now. */
    long flush() throws UcxException {
        moved = 0;
        for (Frame first = frames.peek(); first != null && advance(first); first = frames.peek()) {
            frames.remove();
        }
        return moved;
    }

    /** Whether the frame is done. */
    private boolean advance(Frame first) throws UcxException {
        MemorySegment payload = first.segment();
        if (!begun) {
            heading = free();
            if (heading == ALL_USED) {
                return false;
            }
            boolean follows = checked && payload.byteSize() > Envelope.SMALL && payload.byteSize() <= PIECE;
            int following = follows ? checksum(payload) : 0;
            post(heading, envelopes[heading].write(first.tag(), payload, frame++, following, checked, crc));
            begun = true;
            sealed = !checked || follows;
            posted = 0;
            crc.reset();
        }
        if (payload.byteSize() <= Envelope.SMALL ? !hasLeft() : !body(payload)) {
            return false;
        }
        begun = false;
        first.complete(payload.byteSize());
        return true;
    }

    private int checksum(MemorySegment payload) {
        crc.reset();
        views.update(crc, payload, 0, payload.byteSize());
        return (int) crc.getValue();
    }

    /** Whether UCX has passed on a small frame, as far as it can be known before the receiver asks for it. */
    private boolean hasLeft() throws UcxException {
        if (!synchronous && sending[heading] != NONE) {
            if (!worker.done(sending[heading])) {
                return false;
            }
            sending[heading] = NONE;
        }
        return true;
    }

    /** An envelope that nothing is sent from: if possible the one that was used last, which is in the cache. */
    private int free() throws UcxException {
        for (int i = 0; i < ENVELOPES; i++) {
            if (sending[i] != NONE && worker.done(sending[i])) {
                sending[i] = NONE;
            }
            if (sending[i] == NONE) {
                return i;
            }
        }
        return ALL_USED;
    }

    private void post(int envelope, int bytes) throws UcxException {
        long address = envelopes[envelope].address();
        synchronous = (sentMessages + 1) % SYNCHRONOUS_EVERY == 0;
        sending[envelope] = send(address, bytes, worker.plain());
    }

    private long send(long address, long bytes, MemorySegment described) throws UcxException {
        sentMessages++;
        moved += bytes;
        return sentMessages % SYNCHRONOUS_EVERY == 0
                ? worker.sendSynchronously(endpoint, address, bytes, next(), described)
                : worker.send(endpoint, address, bytes, next(), described);
    }

    private boolean body(MemorySegment payload) throws UcxException {
        boolean busy = false;
        for (int i = 0; i < PIECES; i++) {
            if (pieces[i] != NONE && worker.done(pieces[i])) {
                pieces[i] = NONE;
            }
            if (pieces[i] == NONE && posted < payload.byteSize()) {
                long bytes = piece(posted, payload.byteSize());
                if (!sealed) {
                    views.update(crc, payload, posted, bytes);
                }
                long address = payload.address() + posted;
                pieces[i] = send(address, bytes, memory.describe(address, bytes));
                posted += bytes;
            }
            busy |= pieces[i] != NONE;
        }
        if (posted == payload.byteSize() && !sealed) {
            seal();
        }
        return sealed && !busy && posted == payload.byteSize();
    }

    private void seal() throws UcxException {
        int envelope = free();
        if (envelope != ALL_USED) {
            envelopes[envelope].seal(crc);
            post(envelope, Envelope.SEAL);
            sealed = true;
        }
    }

    boolean isEmpty() {
        return frames.isEmpty();
    }

    /** The frame that is next. */
    @Nullable
    Frame first() {
        return frames.peek();
    }

    /** The requests that are under way: no memory is read any more once they are over. */
    void forget(LongConsumer request) {
        for (long[] requests : new long[][] {sending, pieces}) {
            for (int i = 0; i < requests.length; i++) {
                if (requests[i] != NONE) {
                    request.accept(requests[i]);
                    requests[i] = NONE;
                }
            }
        }
        frames.clear();
    }
}
