package org.maniple.kernel.link;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.maniple.api.Availability;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;

/**
 * The ways that a configuration allows for data, as this rank has them. For each pair of ranks the one with the highest score is taken among those
 * that both ranks have and that reach from one to the other; both ranks find the same one.
 */
public final class DataPorts {

    /**
     * A way.
     *
     * @param transport what is sent over it
     * @param port this rank's end; empty if this rank cannot use it
     * @param reason why not
     */
    public record Way(Transport transport, Optional<Port> port, String reason) {

        /**
         * A way that this rank has.
         *
         * @param transport what is sent over it
         * @param port this rank's end
         * @return the way
         */
        public static Way over(Transport transport, Port port) {
            return new Way(transport, Optional.of(port), "");
        }

        /**
         * A way that this rank cannot use.
         *
         * @param transport what would be sent over it
         * @param reason why not
         * @return the way
         */
        public static Way missing(Transport transport, String reason) {
            return new Way(transport, Optional.empty(), reason);
        }

        String name() {
            return transport.name();
        }
    }

    private final int rank;
    private final List<Way> ways;

    /**
     * Ports to choose from.
     *
     * @param rank this rank
     * @param ways in an order that is the same on all ranks
     */
    public DataPorts(int rank, List<Way> ways) {
        this.rank = rank;
        this.ways = List.copyOf(ways);
    }

    /**
     * What the other ranks need to reach this one.
     *
     * @return addresses by transport
     */
    public SortedMap<String, String> addresses() {
        var addresses = new TreeMap<String, String>();
        for (Way way : ways) {
            way.port().ifPresent(port -> addresses.put(way.name(), port.address()));
        }
        return addresses;
    }

    /**
     * Connects this rank with others.
     *
     * @param addresses by rank, what each said in {@link #addresses}
     * @param peers the ranks to be connected with
     * @param limit after which to give up
     * @return one wire for all of them
     * @throws TransportException if a rank cannot be reached in any of these ways, or does not connect in time
     */
    public Wire connect(List<? extends Map<String, String>> addresses, Set<Integer> peers, Duration limit) {
        List<Set<Integer>> chosen = choose(addresses, peers);
        int[] islands = IntStream.range(0, addresses.size()).toArray();
        var wires = new ArrayList<Wire>();
        Wire[] byPeer = new Wire[addresses.size()];
        try {
            for (int i = 0; i < ways.size(); i++) {
                Way way = ways.get(i);
                List<String> known = addresses.stream().map(rank -> rank.getOrDefault(way.name(), "")).toList();
                islands = merge(islands, way.transport().islands(known));
                boolean last = i == ways.size() - 1;
                if (!chosen.get(i).isEmpty() || wires.isEmpty() && last) {
                    Wire wire = port(way).connect(known, chosen.get(i), limit);
                    wires.add(wire);
                    chosen.get(i).forEach(peer -> byPeer[peer] = wire);
                }
            }
        } catch (RuntimeException e) {
            wires.forEach(Wire::close);
            throw e;
        }
        boolean agrees = wires.size() == 1
                && Arrays.equals(islands, IntStream.range(0, islands.length).map(wires.getFirst()::island).toArray());
        return agrees ? wires.getFirst() : new PairWire(rank, wires, byPeer, islands);
    }

    private Port port(Way way) {
        return way.port().orElseThrow(() -> new TransportException(
                "transport " + way.name() + " cannot work on rank " + rank + ": " + way.reason()));
    }

    private static int[] merge(int[] one, int[] other) {
        int[] merged = one.clone();
        for (int i = 0; i < merged.length; i++) {
            merged[i] = one[other[i]];
        }
        return merged;
    }

    /** For each way, the ranks that are reached by it. */
    private List<Set<Integer>> choose(List<? extends Map<String, String>> addresses, Set<Integer> peers) {
        var chosen = new ArrayList<Set<Integer>>();
        ways.forEach(way -> chosen.add(new TreeSet<>()));
        for (int peer : new TreeSet<>(peers)) {
            int best = -1;
            int highest = 0;
            var reasons = new ArrayList<String>();
            for (int i = 0; i < ways.size(); i++) {
                Availability reached = reach(ways.get(i), peer, addresses.get(peer));
                if (reached instanceof Availability.Available(int score) && (best < 0 || score > highest)) {
                    best = i;
                    highest = score;
                } else if (reached instanceof Availability.Unavailable(String reason)) {
                    reasons.add(ways.get(i).name() + ": " + reason);
                }
            }
            if (best < 0) {
                throw new TransportException("rank " + rank + " and rank " + peer + " cannot exchange data by "
                        + ways.stream().map(Way::name).toList() + " (" + String.join("; ", reasons)
                        + "); with transport auto, each pair of ranks takes the best way that it has");
            }
            chosen.get(best).add(peer);
        }
        return chosen;
    }

    private Availability reach(Way way, int peer, Map<String, String> theirs) {
        if (way.port().isEmpty()) {
            return Availability.unavailable("not on rank " + rank + ", where " + way.reason());
        }
        String address = theirs.get(way.name());
        return address == null
                ? Availability.unavailable("not on rank " + peer + "; its own messages say why")
                : way.port().get().reach(address);
    }
}
