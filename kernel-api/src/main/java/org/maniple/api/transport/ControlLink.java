package org.maniple.api.transport;

/** A link for small messages that are not part of a step. Safe for use by several threads. */
public interface ControlLink extends AutoCloseable {

    /** The largest message, in bytes. */
    int MAX_MESSAGE = 4 << 20;

    /**
     * The rank at the other end.
     *
     * @return the rank that it proved to be
     */
    int peer();

    /**
     * Where the other end is.
     *
     * @return host and port, for messages
     */
    String peerAddress();

    /**
     * Begins to deliver messages; those that came earlier wait until then.
     *
     * @param listener called on a thread of the transport, which it must not block
     */
    void start(Listener listener);

    /**
     * Sends a message without waiting. Messages arrive in order and whole. Ignored once the link is closed.
     *
     * @param message at most {@link #MAX_MESSAGE} bytes; not used after the call
     */
    void send(byte[] message);

    /** Closes the link after what was sent before; the listener of the other end is told. */
    @Override
    void close();

    /** What happens on a link. */
    interface Listener {
        /**
         * A message came.
         *
         * @param message its bytes, owned by the receiver
         */
        void message(byte[] message);

        /**
         * The link is closed, by either end or by a failure. Called once; nothing follows.
         *
         * @param reason why, as part of a sentence
         */
        void closed(String reason);
    }
}
