package org.maniple.it;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.Collectives;
import org.maniple.api.transport.Transport;
import org.maniple.collectives.tree.TreeCollectives;
import org.maniple.moe.ep.RdmaAllToAll;
import org.maniple.testkit.PairExchangeContract;
import org.maniple.testkit.PretendedHosts;
import org.maniple.transport.shm.ShmTransport;
import org.maniple.transport.tcp.TcpTransport;

/** Ranks of several hosts bring tokens to experts: to each host once, where they are handed on. Hosts have two ranks, one, three, and two. */
@ParameterizedClass
@ValueSource(strings = {"low_latency", "high_throughput"})
class TokensOfHostsTest extends PairExchangeContract {

    private static final List<Integer> RANKS_OF_HOST = List.of(2, 1, 3, 2);

    private final String mode;

    TokensOfHostsTest(String mode) {
        this.mode = mode;
    }

    @Override
    protected AllToAll allToAll() {
        return new RdmaAllToAll();
    }

    @Override
    protected Collectives collectives() {
        return new TreeCollectives();
    }

    @Override
    protected Transport transport() {
        return new ChosenPerPair(List.of(new PretendedHosts(new ShmTransport(), RANKS_OF_HOST), new TcpTransport()));
    }

    @Override
    protected Map<String, Object> given() {
        return Map.of("all2all-mode", mode);
    }

    @Override
    protected long dispatchBytes(int ranks, int ranksVisited, int visits, int pairs, int width, int largest) {
        throw new AssertionError("what a rank sends depends on what it hands on for others");
    }

    private static int[] hosts(int ranks) {
        return IntStream.range(0, RANKS_OF_HOST.size())
                .flatMap(host -> IntStream.range(0, RANKS_OF_HOST.get(host)).map(i -> host))
                .limit(ranks).toArray();
    }

    /** To each other host an entry of 12 bytes for each choice there, and each token's row once; then what it and those whose tokens it hands on have for its mates. */
    @Override
    protected long dispatchBytes(int rank, int[][][] positions, int width, int largest) {
        int[] hosts = hosts(positions.length);
        List<Integer> mates = IntStream.range(0, hosts.length).filter(i -> hosts[i] == hosts[rank] && i != rank).boxed().toList();
        long bytes = 0;
        int partners = mates.size();
        for (int host : IntStream.of(hosts).distinct().filter(host -> host != hosts[rank]).toArray()) {
            List<Integer> there = IntStream.range(0, hosts.length).filter(i -> hosts[i] == host).boxed().toList();
            bytes += message(positions[rank], there, 12, width);
            partners++;
        }
        for (int mate : mates) {
            for (int source : sources(rank, hosts)) {
                bytes += 4 + message(positions[source], List.of(mate), 8, width);
            }
        }
        return bytes + (mode.equals("high_throughput") ? 4L * partners : 0);
    }

    private static long message(int[][] tokens, List<Integer> targets, int entry, int width) {
        long entries = 0;
        long rows = 0;
        for (int[] choices : tokens) {
            long here = IntStream.of(choices).filter(targets::contains).count();
            entries += here;
            rows += here > 0 ? 1 : 0;
        }
        return entries == 0 ? 0 : 4 + entry * entries + rows * (4 + 4L * width);
    }

    /** Itself, and those of other hosts that stand there where it does here. */
    private static List<Integer> sources(int rank, int[] hosts) {
        var sources = new ArrayList<Integer>();
        int size = (int) IntStream.of(hosts).filter(host -> host == hosts[rank]).count();
        for (int source = 0; source < hosts.length; source++) {
            if (source == rank || hosts[source] != hosts[rank] && place(source, hosts) % size == place(rank, hosts)) {
                sources.add(source);
            }
        }
        return sources;
    }

    private static int place(int rank, int[] hosts) {
        return (int) IntStream.range(0, rank).filter(i -> hosts[i] == hosts[rank]).count();
    }
}
