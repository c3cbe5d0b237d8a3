package org.maniple.kernel.config;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.maniple.api.mesh.Mesh;
import org.maniple.kernel.config.Given.Origin;
import org.maniple.kernel.config.Platform.Command;

/** Finds the place of this process from the configuration, the platform and the mesh. */
final class TopologyReader {

    private record Place(HostPort address, String source) {}

    private final EffectiveSettings settings;
    private final Platform platform;
    private final OtherReadings readings;
    private final Problems problems;

    TopologyReader(EffectiveSettings settings, Platform platform, OtherReadings readings, Problems problems) {
        this.settings = settings;
        this.platform = platform;
        this.readings = readings;
        this.problems = problems;
    }

    /** Empty after a problem. */
    Optional<Topology> read(Command command, Mesh mesh, NetworkChoice network) {
        int nodes = nodes();
        Optional<List<Integer>> ranksPerNode = ranksPerNode(nodes, mesh);
        checkProcesses(mesh);
        OptionalInt node = node(nodes);
        Optional<Place> place = place(nodes);
        if (ranksPerNode.isEmpty() || node.isEmpty() || place.isEmpty()) {
            return Optional.empty();
        }
        boolean alone = nodes == 1 && place.get().address().loopback();
        var chosen = alone && !settings.has(KernelOptions.COMM_IFNAME)
                ? Optional.of(NetworkChoice.loopback())
                : network.choose(settings, place.get().address());
        if (chosen.isEmpty()) {
            return Optional.empty();
        }
        String source = settings.text(KernelOptions.NODE_RANK).equals("auto")
                ? "the unit has one node"
                : settings.source(KernelOptions.NODE_RANK);
        var topology = new Topology(platform.name(), nodes, node.getAsInt(), source, ranksPerNode.get(), OptionalInt.empty(),
                place.get().address(), place.get().source(), chosen.get().card(), chosen.get().address(), chosen.get().source());
        return command == Command.NODE ? Optional.of(topology) : rank(topology);
    }

    private int nodes() {
        return settings.has(KernelOptions.NNODES) ? settings.integer(KernelOptions.NNODES) : 1;
    }

    private Optional<List<Integer>> ranksPerNode(int nodes, Mesh mesh) {
        List<Integer> listed = settings.integers(KernelOptions.RANKS_PER_NODE);
        String source = settings.source(KernelOptions.RANKS_PER_NODE);
        int ranks = mesh.ranks();
        if (listed.isEmpty()) {
            if (ranks % nodes == 0) {
                return Optional.of(Collections.nCopies(nodes, ranks / nodes));
            }
            problems.add(settings.source(KernelOptions.NNODES), KernelOptions.NNODES,
                    "[" + nodes + "] nodes cannot hold the " + ranks
                            + (ranks == 1 ? " rank" : " ranks") + " of " + MeshComposer.factors(mesh)
                            + " evenly; give sizes whose product is a multiple of " + nodes
                            + ", or say how many ranks each node has with ranks-per-node");
            return Optional.empty();
        }
        if (listed.size() != 1 && listed.size() != nodes) {
            problems.add(source, KernelOptions.RANKS_PER_NODE, listed + " has " + listed.size() + " entries for nnodes " + nodes
                    + "; give one number for all nodes, or one for each");
            return Optional.empty();
        }
        List<Integer> perNode = listed.size() == 1 ? Collections.nCopies(nodes, listed.getFirst()) : listed;
        long places = perNode.stream().mapToLong(Integer::longValue).sum();
        if (places != ranks) {
            problems.add(source, KernelOptions.RANKS_PER_NODE,
                    readings.of(mesh, places).orElse("the nodes have " + places + " ranks " + perNode + ", but "
                            + MeshComposer.describe(mesh) + "; make the two numbers equal"));
            return Optional.empty();
        }
        return Optional.of(perNode);
    }

    private void checkProcesses(Mesh mesh) {
        if (platform.processes().isPresent() && platform.processes().getAsInt() != mesh.ranks()) {
            problems.add(platform.processesSource(),
                    readings.of(mesh, platform.processes().getAsInt())
                            .orElse(platform.name() + " starts [" + platform.processes().getAsInt() + "] ranks, but "
                                    + MeshComposer.describe(mesh) + "; make the two numbers equal"));
        }
    }

    private OptionalInt node(int nodes) {
        String text = settings.text(KernelOptions.NODE_RANK);
        String source = settings.source(KernelOptions.NODE_RANK);
        if (text.equals("auto")) {
            var fromPlatform = platform.values().stream().filter(value -> value.key().equals(KernelOptions.NODE_RANK))
                    .findFirst();
            if (fromPlatform.isPresent()) {
                return checked((String) fromPlatform.get().value(), fromPlatform.get().source(), nodes);
            }
            if (nodes > 1) {
                problems.add(source.equals("default") ? "" : source, KernelOptions.NODE_RANK,
                        "nnodes is " + nodes + " and nothing says which node"
                                + " this is; give --node-rank 0 to " + (nodes - 1)
                                + ", or start it where SLURM, LeaderWorkerSet or RANK_ID says so");
                return OptionalInt.empty();
            }
            return OptionalInt.of(0);
        }
        contradiction(text, source, nodes);
        return checked(text, source, nodes);
    }

    private OptionalInt checked(String text, String source, int nodes) {
        if (!text.matches("\\d{1,6}")) {
            problems.add(source, KernelOptions.NODE_RANK, "[" + text + "] is neither a whole number nor auto");
            return OptionalInt.empty();
        }
        int node = Integer.parseInt(text);
        if (node >= nodes) {
            problems.add(source, KernelOptions.NODE_RANK, "[" + node + "] must be below nnodes [" + nodes + "] ("
                    + (settings.has(KernelOptions.NNODES) ? settings.source(KernelOptions.NNODES) : "default")
                    + "); correct one of the two");
            return OptionalInt.empty();
        }
        return OptionalInt.of(node);
    }

    /** A file is shared by all nodes, and a flag may have been expanded by SLURM's batch shell (trap T1). */
    private void contradiction(String text, String source, int nodes) {
        var fromPlatform = platform.values().stream().filter(value -> value.key().equals(KernelOptions.NODE_RANK)).findFirst();
        if (fromPlatform.isEmpty() || fromPlatform.get().value().equals(text) || nodes == 1) {
            return;
        }
        String other = fromPlatform.get().source() + " [" + fromPlatform.get().value() + "]";
        var origin = settings.origin(KernelOptions.NODE_RANK).orElseThrow();
        if (origin == Origin.FILE) {
            problems.add(source, KernelOptions.NODE_RANK, "[" + text + "] contradicts " + other
                    + "; a file is the same on all nodes, so leave node-rank out of it");
        } else if (fromPlatform.get().source().equals("SLURM_NODEID") && text.equals("0")) {
            problems.add(source, KernelOptions.NODE_RANK,
                    "[0] contradicts " + other + "; on the srun line the batch shell expands $SLURM_NODEID,"
                            + " so that every task gets 0: leave the flag out, each task reads its own");
        }
    }

    private Optional<Place> place(int nodes) {
        if (settings.has(KernelOptions.LAUNCHER_ADDR)) {
            return address(KernelOptions.LAUNCHER_ADDR, settings.text(KernelOptions.LAUNCHER_ADDR),
                    settings.source(KernelOptions.LAUNCHER_ADDR));
        }
        boolean masterGiven = settings.has(KernelOptions.MASTER_ADDR) || settings.has(KernelOptions.MASTER_PORT);
        var fromPlatform = settings.origin(KernelOptions.DIST_INIT_ADDR).filter(Origin.PLATFORM::equals);
        if (settings.has(KernelOptions.DIST_INIT_ADDR) && !(masterGiven && fromPlatform.isPresent())) {
            return wholeAddress(masterGiven);
        }
        if (settings.has(KernelOptions.MASTER_ADDR)) {
            int port = settings.has(KernelOptions.MASTER_PORT)
                    ? settings.integer(KernelOptions.MASTER_PORT)
                    : KernelOptions.DEFAULT_RENDEZVOUS_PORT;
            String host = settings.text(KernelOptions.MASTER_ADDR);
            return address(KernelOptions.MASTER_ADDR, host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port,
                    settings.source(KernelOptions.MASTER_ADDR));
        }
        if (nodes > 1) {
            problems.add("", KernelOptions.DIST_INIT_ADDR,
                    "nnodes is " + nodes + " and nothing says where node 0 is; give --dist-init-addr HOST:PORT"
                            + " with the same value on every node");
            return Optional.empty();
        }
        int port = settings.has(KernelOptions.MASTER_PORT) ? settings.integer(KernelOptions.MASTER_PORT) : 0;
        return Optional.of(new Place(new HostPort("127.0.0.1", port), "the unit has one node"));
    }

    private Optional<Place> wholeAddress(boolean masterGiven) {
        String text = settings.text(KernelOptions.DIST_INIT_ADDR);
        String source = settings.source(KernelOptions.DIST_INIT_ADDR);
        var whole = address(KernelOptions.DIST_INIT_ADDR, text, source);
        if (masterGiven && whole.isPresent()) {
            var address = whole.get().address();
            boolean sameHost = settings.optionalText(KernelOptions.MASTER_ADDR).map(address.host()::equals).orElse(true);
            boolean samePort = !settings.has(KernelOptions.MASTER_PORT)
                    || settings.integer(KernelOptions.MASTER_PORT) == address.port();
            if (!sameHost || !samePort) {
                String key = sameHost ? KernelOptions.MASTER_PORT : KernelOptions.MASTER_ADDR;
                problems.add(settings.source(key), key,
                        "it contradicts dist-init-addr [" + text + "] (" + source + "); give only one of the two");
            }
        }
        return whole;
    }

    private Optional<Place> address(String key, String text, String source) {
        try {
            return Optional.of(new Place(HostPort.parse(text, KernelOptions.DEFAULT_RENDEZVOUS_PORT), source));
        } catch (IllegalArgumentException e) {
            problems.add(source, key, String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    private Optional<Topology> rank(Topology topology) {
        OptionalInt rank = rankNumber(topology);
        return rank.isEmpty()
                ? Optional.empty()
                : Optional.of(new Topology(topology.platform(), topology.nodes(), topology.nodeOf(rank.getAsInt()),
                        topology.nodeSource(),
                        topology.ranksPerNode(), rank, topology.rendezvous(), topology.rendezvousSource(),
                        topology.commInterface(),
                        topology.commAddress(), topology.commSource()));
    }

    private OptionalInt rankNumber(Topology topology) {
        int here = topology.ranksHere();
        if (settings.has(KernelOptions.LOCAL_RANK)) {
            int local = settings.integer(KernelOptions.LOCAL_RANK);
            if (local >= here) {
                problems.add(settings.source(KernelOptions.LOCAL_RANK), KernelOptions.LOCAL_RANK,
                        "[" + local + "] is too large: this node has " + here + " ranks; give 0 to " + (here - 1));
                return OptionalInt.empty();
            }
            return OptionalInt.of(topology.firstRank() + local);
        }
        if (platform.processRank().isPresent()) {
            int rank = platform.processRank().getAsInt();
            int all = topology.ranksPerNode().stream().mapToInt(Integer::intValue).sum();
            if (rank >= all) {
                problems.add(platform.rankSource(), "[" + rank + "] is too large: the unit has " + all + " ranks");
                return OptionalInt.empty();
            }
            return platform.processRank();
        }
        if (here > 1) {
            problems.add("", KernelOptions.LOCAL_RANK,
                    "this node has " + here + " ranks and nothing says which of them this process is;"
                            + " give --local-rank 0 to " + (here - 1) + ", or let maniple launch start them");
            return OptionalInt.empty();
        }
        return OptionalInt.of(topology.firstRank());
    }
}
