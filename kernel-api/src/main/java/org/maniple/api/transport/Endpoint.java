package org.maniple.api.transport;

import java.time.Duration;
import java.util.List;
import java.util.Set;

/** A rank's end of a transport. Safe for use by several threads. */
public interface Endpoint extends AutoCloseable {

    /**
     * What peers dial to reach this rank.
     *
     * @return an address in the transport's own form, for example {@code 10.0.0.1:7070}
     */
    String address();

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

    /**
     * Opens the data links of this rank. Each pair of ranks that name each other is connected by one link.
     *
     * @param addresses the addresses of all ranks, by rank
     * @param peers the ranks to be connected with
     * @param limit after which to give up
     * @return the wire, to be used by one thread
     * @throws TransportException if some peers are not connected in time; names all of them
     */
    Wire connect(List<String> addresses, Set<Integer> peers, Duration limit);

    @Override
    void close();

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
