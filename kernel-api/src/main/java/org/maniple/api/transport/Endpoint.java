package org.maniple.api.transport;

import java.time.Duration;

/** A rank's end of a transport that carries control links, too; peers dial its {@link #address}. Safe for use by several threads. */
public interface Endpoint extends Port {

    /**
     * Says what happens with control links that peers open. Links that come earlier wait.
     *
     * @param acceptor called on a thread of the transport, which it must not block, for each peer that has proved who it is
     */
    void accept(Acceptor acceptor);

    /**
     * Opens a control link to a peer. Tries again until the peer listens.
     *
     * @param address the peer's address
     * @param peer the peer's rank
     * @param limit after which to give up
     * @return the link, on which both sides have proved who they are
     * @throws TransportException if the peer does not answer in time, or refuses; names rank, address and reason
     */
    ControlLink dial(String address, int peer, Duration limit);

    /** Takes control links that peers open. */
    @FunctionalInterface
    interface Acceptor {
        /**
         * Takes a link. It must call {@link ControlLink#start} or close the link.
         *
         * @param link a link whose peer has proved who it is
         */
        void accept(ControlLink link);
    }
}
