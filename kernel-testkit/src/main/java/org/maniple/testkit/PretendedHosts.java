package org.maniple.testkit;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.maniple.api.Availability;
import org.maniple.api.PluginContext;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.Wire;

/**
 * A transport within a host, for ranks that pretend to be on several hosts: it does not reach from one to another.
 *
 * @param inner what it reaches by
 * @param ranksOfHost how many ranks there are on each host, one host after the other
 */
public record PretendedHosts(Transport inner, List<Integer> ranksOfHost) implements Transport {

    private static final String AT = "@";

    @Override
    public String name() {
        return inner.name();
    }

    private int host(int rank) {
        int host = 0;
        for (int before = ranksOfHost.getFirst(); before <= rank; before += ranksOfHost.get(host)) {
            host++;
        }
        return host;
    }

    @Override
    public Port open(Identity identity, Bind bind, PluginContext context) {
        return new HostPort(inner.open(identity, bind, context), host(identity.rank()) + AT);
    }

    @Override
    public int[] islands(List<String> addresses) {
        int[] islands = IntStream.range(0, addresses.size()).toArray();
        for (int host = 0; host < ranksOfHost.size(); host++) {
            String prefix = host + AT;
            int[] there = inner.islands(only(addresses, prefix));
            for (int rank = 0; rank < islands.length; rank++) {
                islands[rank] = addresses.get(rank).startsWith(prefix) ? there[rank] : islands[rank];
            }
        }
        return islands;
    }

    /** The addresses of one host. */
    private static List<String> only(List<String> addresses, String prefix) {
        return addresses.stream().map(one -> one.startsWith(prefix) ? one.substring(prefix.length()) : "").toList();
    }

    private record HostPort(Port port, String prefix) implements Port {

        @Override
        public String address() {
            return prefix + port.address();
        }

        @Override
        public Availability reach(String address) {
            return address.startsWith(prefix)
                    ? port.reach(address.substring(prefix.length()))
                    : Availability.unavailable("they pretend to be on different hosts");
        }

        @Override
        public Wire connect(List<String> addresses, Set<Integer> peers, Duration limit) {
            return port.connect(only(addresses, prefix), peers, limit);
        }

        @Override
        public void close() {
            port.close();
        }
    }
}
