package org.maniple.kernel.boot;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.maniple.api.config.Settings;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.transport.Transport;
import org.maniple.kernel.config.HostPort;
import org.maniple.kernel.config.KernelOptions;
import org.maniple.kernel.config.Topology;
import org.maniple.kernel.config.UnitConfiguration;

/**
 * Where this rank is, listens, and finds rank 0. The ranks of a node use following ports: the rendezvous port plus the local rank; on a
 * unit of one node only rank 0 has a port that others know, and the rest take any free one, as do those of a further node on one machine.
 *
 * @param rank this rank
 * @param bind where it listens
 * @param meeting where rank 0 is reached
 * @param health where it answers health checks for its node: the first rank of each, if they are wanted
 */
record Place(int rank, Transport.Bind bind, HostPort meeting, Optional<HostPort> health) {

    static Place of(UnitConfiguration configuration) {
        Topology topology = configuration.topology();
        int rank = topology.rank().orElse(0);
        HostPort meeting = topology.rendezvous();
        int port = topology.nodes() > 1 && !besideNodeZero(topology)
                ? meeting.port() + rank - topology.firstRank()
                : rank == 0 ? meeting.port() : 0;
        return new Place(rank, new Transport.Bind(topology.commAddress(), port), meeting, health(configuration, rank));
    }

    /** Where the API is served, or, on several nodes, where the other nodes reach this one: not all of them have the API's address. */
    private static Optional<HostPort> health(UnitConfiguration configuration, int rank) {
        Topology topology = configuration.topology();
        Settings settings = configuration.settings();
        if (rank != topology.firstRank() || !settings.has(KernelOptions.HEALTH_PORT)) {
            return Optional.empty();
        }
        String host = topology.nodes() > 1 ? topology.commAddress() : settings.text(KernelOptions.HOST);
        return Optional.of(new HostPort(host, settings.integer(KernelOptions.HEALTH_PORT)));
    }

    /**
     * Whether this process leads the unit: rank 0 where the ranks meet. A rank 0 on another machine has been given a number that is taken
     * already, and asks to join so that it is refused by name. A host that cannot be resolved yet is taken for this machine: a pod may start
     * before its own name is published.
     */
    boolean leads() {
        return rank == 0 && isHere(meeting.host());
    }

    /** Another node on the machine of node 0, which has these ports already: groups of ranks on one machine may be started one by one. */
    private static boolean besideNodeZero(Topology topology) {
        if (topology.node() == 0) {
            return false;
        }
        try {
            InetAddress address = InetAddress.getByName(topology.rendezvous().host());
            return address.isLoopbackAddress() || NetworkInterface.getByInetAddress(address) != null;
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean isHere(String host) {
        try {
            for (InetAddress address : InetAddress.getAllByName(host)) {
                if (address.isAnyLocalAddress() || NetworkInterface.getByInetAddress(address) != null) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    /** Where a rank stands on the mesh, by dimension, outermost first. */
    static Map<String, Integer> coordinates(Mesh mesh, int rank) {
        var coordinates = new LinkedHashMap<String, Integer>();
        for (MeshDimension dimension : mesh.dimensions()) {
            coordinates.put(dimension.name(), mesh.coordinate(rank, dimension));
        }
        return coordinates;
    }

    /** The sizes of a mesh that are not 1, for example {@code tp 2, pp 2}. */
    static String layout(Mesh mesh) {
        String sizes = mesh.dimensions().stream().filter(dimension -> mesh.size(dimension) > 1)
                .map(dimension -> dimension.name() + " " + mesh.size(dimension)).collect(Collectors.joining(", "));
        return sizes.isEmpty() ? "one rank" : sizes;
    }

    /** Where each rank is expected, for messages. */
    static List<String> places(UnitConfiguration configuration) {
        var places = new ArrayList<String>();
        for (int rank = 0; rank < configuration.mesh().ranks(); rank++) {
            places.add("node " + configuration.topology().nodeOf(rank));
        }
        return places;
    }

    /** The unit's secret; ranks that launch starts on one node always have one. */
    static byte[] secret(UnitConfiguration configuration) {
        if (configuration.secret().isPresent()) {
            return configuration.secret().get().bytes();
        }
        if (configuration.mesh().ranks() == 1) {
            return new java.security.SecureRandom().generateSeed(32);
        }
        throw new org.maniple.kernel.config.ConfigurationException(List.of(KernelOptions.UNIT_SECRET
                + ": the ranks of a unit prove to each other that they know its secret; give --unit-secret-file or MANIPLE_UNIT_SECRET,"
                + " for example from [openssl rand -hex 16]"));
    }
}
