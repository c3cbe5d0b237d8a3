package org.maniple.transport.rdma;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.HostProcess;

/** The data link with one peer. For use by the thread that drives the wire, but for the counters and {@link #lose}. */
final class RdmaLink {

    /** How long a failed link may take to give back its memory. */
    private static final long END_NANOS = 500_000_000;

    private final int peer;
    private final HostProcess place;
    private final String path;
    private final Worker worker;
    private final long endpoint;
    private final OutgoingFrames outgoing;
    private final IncomingFrames incoming;
    private final Goodbye goodbye;
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong received = new AtomicLong();
    private final AtomicReference<@Nullable String> lost = new AtomicReference<>();
    private @Nullable String failure;
    /** The peer was lost while it owed nothing: whoever wants something of it then says what. */
    private boolean owesNothing;

    RdmaLink(int peer, HostProcess place, String path, Worker worker, long endpoint, OutgoingFrames outgoing,
            IncomingFrames incoming,
            Goodbye goodbye) {
        this.peer = peer;
        this.place = place;
        this.path = path;
        this.worker = worker;
        this.endpoint = endpoint;
        this.outgoing = outgoing;
        this.incoming = incoming;
        this.goodbye = goodbye;
    }

    int peer() {
        return peer;
    }

    HostProcess place() {
        return place;
    }

    /** Over what the peer is reached. */
    String path() {
        return path;
    }

    void send(Frame frame) {
        if (outgoing.add(frame)) {
            flush();
        }
    }

    void expect(Frame frame) {
        incoming.add(frame);
        if (frame.segment().byteSize() > Envelope.SMALL) {
            // So that UCX has its memory in time. For a small one it is time enough when somebody waits for it.
            move();
        }
    }

    private void flush() {
        if (failure == null) {
            try {
                long went = outgoing.flush();
                sent.setRelease(sent.getPlain() + went);
            } catch (UcxException e) {
                fail(e);
            }
        }
    }

    private void fail(UcxException e) {
        String known = lost();
        String owed = owed();
        owesNothing = failure == null && owed.isEmpty();
        fail(this + " " + (known == null ? "closed the connection: " + e.getMessage() : known) + owed);
    }

    /** Moves what can be moved, after UCX has. */
    boolean move() {
        if (failure != null) {
            return false;
        }
        try {
            long came = incoming.receive();
            received.setRelease(received.getPlain() + came);
            long went = outgoing.flush();
            sent.setRelease(sent.getPlain() + went);
            return came > 0 || went > 0;
        } catch (BadFrameException e) {
            fail(this + " " + e.getMessage());
        } catch (UcxException e) {
            fail(e);
        }
        return true;
    }

    /** What the peer has not done, if it was to do anything. */
    private String owed() {
        Frame first = incoming.first();
        Frame owed = first == null ? outgoing.first() : first;
        return owed == null ? "" : "; it " + owed.missing();
    }

    /** For any thread: the peer will do nothing any more. What it has done before still counts. */
    void lose(String how) {
        lost.compareAndSet(null, how);
    }

    /** Why nothing is to be expected beyond what has come already. */
    @Nullable
    String lost() {
        if (goodbye.said()) {
            lose("closed the connection");
        }
        return lost.get();
    }

    boolean idle() {
        return outgoing.isEmpty();
    }

    /** Ends the link. Memory of frames under way is not touched any more. */
    void fail(String reason) {
        if (failure != null) {
            return;
        }
        failure = reason;
        var ending = new Ending(worker);
        ending.end(endpoint);
        incoming.forget(ending::cancel);
        goodbye.forget(ending::cancel);
        outgoing.forget(ending::add);
        ending.await(END_NANOS);
    }

    /** Tells the peer that nothing comes any more; to be followed by {@link #fail}. */
    void sayGoodbye() {
        if (failure == null && lost() == null) {
            goodbye.say();
        }
    }

    /** Whether everything that was sent has left for good. */
    boolean left() {
        return failure != null || goodbye.left();
    }

    @Nullable
    String failure() {
        return failure;
    }

    /** Why it failed, for somebody who waits for a frame. */
    @Nullable
    String failure(Frame frame) {
        return failure != null && owesNothing ? failure + "; it " + frame.missing() : failure;
    }

    /** For any thread. */
    long sentBytes() {
        return sent.getAcquire();
    }

    /** For any thread. */
    long receivedBytes() {
        return received.getAcquire();
    }

    /** The peer. */
    @Override
    public String toString() {
        return describe(peer, place);
    }

    static String describe(int rank, HostProcess place) {
        return "rank " + rank + " (process " + place.process() + ")";
    }
}
