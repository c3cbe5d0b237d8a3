package org.maniple.kernel.local;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** One rank's side of the link with another. Unless said otherwise, for use by that rank's thread. */
final class LocalLink {

    private final LocalWire wire;
    private final int peer;
    private final String address;
    private final FrameRing incoming = new FrameRing();
    /** Frames for which the other end's ring has no room. */
    private final Queue<LocalPending> backlog = new ArrayDeque<>();
    private final Queue<LocalPending> expected = new ArrayDeque<>();
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong received = new AtomicLong();
    private final AtomicReference<@Nullable String> failure = new AtomicReference<>();
    private LocalLink otherEnd = this;
    /** Nothing that comes is looked at any more. What was sent before the other end closed is. */
    private boolean broken;

    private LocalLink(LocalWire wire, int peer) {
        this.wire = wire;
        this.peer = peer;
        this.address = wire.addressOf(peer);
    }

    static void join(LocalWire one, LocalWire other) {
        var here = new LocalLink(one, other.rank());
        var there = new LocalLink(other, one.rank());
        here.otherEnd = there;
        there.otherEnd = here;
        one.add(other.rank(), here);
        other.add(one.rank(), there);
    }

    void send(LocalPending frame) {
        if (!backlog.isEmpty() || !pass(frame)) {
            backlog.add(frame);
        }
    }

    private boolean pass(LocalPending frame) {
        if (!otherEnd.incoming.offer(frame)) {
            return false;
        }
        otherEnd.wire.wake();
        return true;
    }

    void expect(LocalPending frame) {
        expected.add(frame);
    }

    boolean progress() {
        boolean moved = false;
        LocalPending held = backlog.peek();
        while (held != null && pass(held)) {
            backlog.remove();
            held = backlog.peek();
            moved = true;
        }
        LocalPending into = expected.peek();
        LocalPending frame = into == null ? null : incoming.peek();
        while (into != null && frame != null && !broken) {
            take(frame, into);
            moved = true;
            into = expected.peek();
            frame = into == null ? null : incoming.peek();
        }
        return moved;
    }

    private void take(LocalPending frame, LocalPending into) {
        long bytes = frame.segment().byteSize();
        if (frame.tag() != into.tag() || !into.fits(bytes)) {
            fail(this + " sent " + frame + ", but rank " + wire.rank() + " expects " + into);
            return;
        }
        try {
            MemorySegment.copy(frame.segment(), 0, into.segment(), 0, bytes);
        } catch (WrongThreadException | IllegalStateException e) {
            fail(this + " sent " + frame
                    + " from memory that other threads cannot read; take it from the wire or a shared arena");
            return;
        }
        incoming.remove();
        expected.remove();
        received.setRelease(received.getPlain() + bytes);
        otherEnd.sent.setRelease(otherEnd.sent.getPlain() + bytes);
        into.complete(bytes);
        frame.complete(bytes);
        otherEnd.wire.wake();
    }

    /** Ends the link; the other side is told that it is closed. */
    void fail(String reason) {
        broken = true;
        failure.compareAndSet(null, reason);
        otherEnd.failure.compareAndSet(null, otherEnd + " closed the connection");
        wire.wake();
        otherEnd.wire.wake();
    }

    /** Why nothing can be sent or received any more; for any thread. */
    @Nullable
    String failure() {
        return failure.get();
    }

    /** For any thread. */
    long sentBytes() {
        return sent.getAcquire();
    }

    /** For any thread. */
    long receivedBytes() {
        return received.getAcquire();
    }

    /** The other rank. */
    @Override
    public String toString() {
        return LocalTransport.describe(peer, address);
    }
}
