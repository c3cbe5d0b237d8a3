package org.maniple.api.transport;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.maniple.api.Availability;

/** A rank's end for the data of steps. Safe for use by several threads. */
public interface Port extends AutoCloseable {

    /**
     * What peers need to reach this rank. Ranks learn each other's addresses over their control links, and pass them on without looking into
     * them.
     *
     * @return an address in the transport's own form, for example {@code 10.0.0.1:7070}
     */
    String address();

    /**
     * Whether data can be exchanged with another rank. Two ranks that ask about each other get the same answer.
     *
     * @param address the other rank's address
     * @return with the highest score for the way that is to be preferred; otherwise what keeps the two apart
     */
    default Availability reach(String address) {
        return Availability.available(0);
    }

    /**
     * Opens the data links of this rank. Each pair of ranks that name each other is connected by one link. May be called once, unless a
     * transport allows more.
     *
     * @param addresses the addresses of all ranks, by rank; empty where a rank has none
     * @param peers the ranks to be connected with
     * @param limit after which to give up
     * @return the wire, to be used by one thread
     * @throws TransportException if some peers are not connected in time; names all of them
     */
    Wire connect(List<String> addresses, Set<Integer> peers, Duration limit);

    @Override
    void close();
}
