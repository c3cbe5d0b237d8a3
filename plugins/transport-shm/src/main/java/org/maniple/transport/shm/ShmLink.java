package org.maniple.transport.shm;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The data link with one peer. For use by the thread that drives the wire, but for the counters and {@link #lose}. */
final class ShmLink {

    private final int peer;
    private final Locator locator;
    private final Segment theirs;
    private final OutgoingFrames outgoing;
    private final IncomingFrames incoming;
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong received = new AtomicLong();
    private final AtomicReference<@Nullable String> lost = new AtomicReference<>();
    private @Nullable String failure;

    ShmLink(int own, int peer, Locator locator, Segment mine, Segment theirs) {
        this.peer = peer;
        this.locator = locator;
        this.theirs = theirs;
        this.outgoing = new OutgoingFrames(theirs, own);
        this.incoming = new IncomingFrames(mine, own, peer);
    }

    int peer() {
        return peer;
    }

    Locator locator() {
        return locator;
    }

    Segment theirs() {
        return theirs;
    }

    void send(Frame frame) {
        if (outgoing.add(frame)) {
            flush();
        }
    }

    void expect(Frame frame) {
        incoming.add(frame);
    }

    /** Moves what can be moved. */
    boolean progress() {
        if (failure != null) {
            return false;
        }
        long came = incoming.receive();
        if (came > 0) {
            received.setRelease(received.getPlain() + came);
            tell();
        }
        String mistake = incoming.mistake();
        if (mistake != null) {
            fail(this + " " + mistake);
            return true;
        }
        return flush() || came > 0;
    }

    private boolean flush() {
        long went = outgoing.flush();
        if (went > 0) {
            sent.setRelease(sent.getPlain() + went);
            tell();
        }
        return went > 0;
    }

    private void tell() {
        VarHandle.fullFence();
        theirs.ring();
    }

    /** For any thread: the peer will do nothing any more. What it has done before still counts. */
    void lose(String how) {
        lost.compareAndSet(null, how);
    }

    /** Why nothing is to be expected beyond what has come already. */
    @Nullable
    String lost() {
        String known = lost.get();
        return known == null && theirs.closed() ? "closed the connection" : known;
    }

    /** Ends the link. Memory of frames under way is not touched any more. */
    void fail(String reason) {
        if (failure == null) {
            failure = reason;
        }
    }

    @Nullable
    String failure() {
        return failure;
    }

    /** For any thread. */
    long sentBytes() {
        return sent.getAcquire();
    }

    /** For any thread. */
    long receivedBytes() {
        return received.getAcquire();
    }

    /** Something in a window is there for the peer to read, after a full fence. */
    void shown(long bytes) {
        sent.setRelease(sent.getPlain() + bytes);
        theirs.ring();
    }

    /** The peer has shown something in a window. */
    void seen(long bytes) {
        received.setRelease(received.getPlain() + bytes);
    }

    /** The peer. */
    @Override
    public String toString() {
        return describe(peer, locator);
    }

    static String describe(int rank, Locator locator) {
        return "rank " + rank + " (process " + locator.process() + ")";
    }
}
