package org.maniple.transport.tcp;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/** The data link with one peer. For use by the thread that drives the wire, but for the counters. */
final class DataLink {

    private final String peer;
    private final String host;
    private final DataSocket socket;
    private final LinkSecurity security;
    private final OutgoingFrames outgoing;
    private final IncomingFrames incoming;
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong received = new AtomicLong();
    private @Nullable String failure;

    DataLink(int peer, String address, DataSocket socket, Protection protection, byte[] first, Views views,
            LongFunction<MemorySegment> memory) {
        this.peer = Addresses.describe(peer, address);
        this.host = Addresses.host(address);
        this.socket = socket;
        this.security = protection.security();
        this.outgoing = new OutgoingFrames(socket, protection.outgoing(views), memory.apply(FrameHeader.BYTES + Seal.MOST_BYTES));
        this.incoming = new IncomingFrames(socket, protection.incoming(views), memory.apply(IncomingFrames.STAGING), first);
        received.set(first.length);
    }

    /** Where the peer is. */
    String host() {
        return host;
    }

    LinkSecurity security() {
        return security;
    }

    DataSocket socket() {
        return socket;
    }

    void send(TcpPending frame) {
        if (outgoing.add(frame)) {
            flush();
        }
    }

    void expect(TcpPending frame) {
        incoming.add(frame);
    }

    /** Moves what can be moved. */
    boolean progress() {
        if (failure != null) {
            return false;
        }
        boolean came = receive();
        boolean went = flush();
        return came || went;
    }

    private boolean receive() {
        if (incoming.isEmpty()) {
            return false;
        }
        try {
            long bytes = incoming.receive();
            received.setRelease(received.getPlain() + bytes);
            return bytes > 0;
        } catch (BadFrameException e) {
            fail(this + " " + e.getMessage());
        } catch (EOFException e) {
            fail(this + " closed the connection" + owed(incoming.first()));
        } catch (IOException e) {
            fail(this + " closed the connection: " + (e.getMessage() == null ? "its socket is closed" : e.getMessage())
                    + owed(incoming.first()));
        }
        return true;
    }

    private boolean flush() {
        if (failure != null || outgoing.isEmpty()) {
            return false;
        }
        try {
            long bytes = outgoing.flush();
            sent.setRelease(sent.getPlain() + bytes);
            return bytes > 0;
        } catch (IOException e) {
            fail(this + " closed the connection: " + (e.getMessage() == null ? "its socket is closed" : e.getMessage())
                    + owed(outgoing.first()));
            return true;
        }
    }

    private static String owed(@Nullable TcpPending frame) {
        return frame == null ? "" : "; it " + frame.owed();
    }

    /** Before sleeping. */
    void declareInterest() {
        if (failure == null) {
            socket.interest(!incoming.isEmpty(), !outgoing.isEmpty());
        }
    }

    /** Ends the link. Memory of frames under way is not touched any more. */
    void fail(String reason) {
        if (failure == null) {
            failure = reason;
            socket.close();
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

    /** The peer. */
    @Override
    public String toString() {
        return peer;
    }
}
