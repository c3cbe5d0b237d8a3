package org.maniple.kernel.local;

import java.util.List;
import java.util.Set;
import org.maniple.api.PluginContext;
import org.maniple.api.transport.ControlTransport;
import org.maniple.api.transport.Endpoint;

/**
 * Connects ranks that live in one process, each on a thread of its own. Endpoints reach only those that the same instance has opened. A
 * unit of one rank needs nothing else.
 *
 * <p>A frame is copied once, by the receiver, out of the sender's memory. What is sent must therefore be accessible to all threads.
 */
public final class LocalTransport implements ControlTransport {

    private final LocalHub hub = new LocalHub();

    @Override
    public String name() {
        return "local";
    }

    @Override
    public Endpoint open(Identity identity, Bind bind, PluginContext context) {
        return hub.open(identity, bind, context.host().processors());
    }

    /** Addresses and ranks, for messages. */
    static String describe(int rank, String address) {
        return "rank " + rank + " (" + address + ")";
    }

    /** Missing ranks with their addresses. */
    static String describe(Set<Integer> ranks, List<String> addresses) {
        return String.join(", ", ranks.stream().sorted().map(rank -> describe(rank, addresses.get(rank))).toList());
    }
}
