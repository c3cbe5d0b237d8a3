package org.maniple.kernel.local;

import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.ControlLink;

/** One end of a control link. What comes is kept until there is a listener, which is called on the endpoint's thread. */
final class LocalControlLink implements ControlLink {

    private final LocalEndpoint endpoint;
    private final int peer;
    private final String peerAddress;
    private final Queue<byte[]> early = new ArrayDeque<>();
    private @Nullable LocalControlLink otherEnd;
    private @Nullable Listener listener;
    private @Nullable String closed;

    LocalControlLink(LocalEndpoint endpoint, int peer, String peerAddress) {
        this.endpoint = endpoint;
        this.peer = peer;
        this.peerAddress = peerAddress;
    }

    static void join(LocalControlLink one, LocalControlLink other) {
        one.otherEnd = other;
        other.otherEnd = one;
    }

    @Override
    public int peer() {
        return peer;
    }

    @Override
    public String peerAddress() {
        return peerAddress;
    }

    @Override
    public synchronized void start(Listener newListener) {
        if (listener != null) {
            throw new IllegalStateException("the control link with rank " + peer + " has a listener already");
        }
        listener = newListener;
        for (byte[] message = early.poll(); message != null; message = early.poll()) {
            byte[] next = message;
            endpoint.run(() -> newListener.message(next));
        }
        String reason = closed;
        if (reason != null) {
            endpoint.run(() -> newListener.closed(reason));
        }
    }

    @Override
    public void send(byte[] message) {
        if (message.length > MAX_MESSAGE) {
            throw new IllegalArgumentException(
                    "a control message for rank " + peer + " has " + message.length + " bytes, more than " + MAX_MESSAGE);
        }
        LocalControlLink other = otherEnd;
        if (other != null && !isClosed()) {
            other.deliver(message.clone());
        }
    }

    private synchronized void deliver(byte[] message) {
        Listener told = listener;
        if (closed != null) {
            return;
        }
        if (told == null) {
            early.add(message);
        } else {
            endpoint.run(() -> told.message(message));
        }
    }

    @Override
    public void close() {
        LocalControlLink other = otherEnd;
        if (other != null) {
            other.end(LocalTransport.describe(other.peer, other.peerAddress) + " closed the connection");
        }
        end("closed by this rank");
    }

    synchronized boolean isClosed() {
        return closed != null;
    }

    private synchronized void end(String reason) {
        if (closed == null) {
            closed = reason;
            Listener told = listener;
            if (told != null) {
                endpoint.run(() -> told.closed(reason));
            }
        }
    }
}
