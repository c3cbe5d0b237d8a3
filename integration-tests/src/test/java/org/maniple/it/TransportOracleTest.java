package org.maniple.it;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.maniple.api.transport.Transport;
import org.maniple.testkit.PretendedHosts;
import org.maniple.transport.shm.ShmTransport;
import org.maniple.transport.tcp.TcpTransport;

/**
 * A subset of the oracle checkpoints over each transport: hidden states, chosen experts, logits and greedy tokens are those of the reference
 * implementation, whatever carries the data. With {@code -Dmaniple.layouts=all} on more checkpoints and layouts.
 */
class TransportOracleTest {

    private static final boolean ALL = System.getProperty("maniple.layouts", "").equals("all");

    private static final String UCX = "ucx on ";

    private static final List<UnaryOperator<Layout>> WAYS = List.of(
            layout -> layout.over("shm", ShmTransport::new),
            layout -> layout.over("tcp", TcpTransport::new),
            layout -> layout.over("tcp with authentication codes", () -> new ProtectedTcp("integrity")),
            layout -> layout.over("tcp with TLS", () -> new ProtectedTcp("encrypt")),
            layout -> layout.over("auto on two hosts", twoHosts(ranks(layout))),
            layout -> layout.over(UCX + "tcp", () -> new UcxWithoutDevice(List.of("tcp"))),
            layout -> layout.over(UCX + "posix and cma", () -> new UcxWithoutDevice(List.of("posix", "cma"))));

    private static int ranks(Layout layout) {
        return Stream.of("tensor-parallel-size", "pipeline-parallel-size", "data-parallel-size")
                .mapToInt(key -> (int) layout.settings().getOrDefault(key, 1)).reduce(1, (a, b) -> a * b);
    }

    /** Half of the ranks on each, within which they share memory. */
    private static Supplier<Transport> twoHosts(int ranks) {
        return () -> new ChosenPerPair(
                List.of(new PretendedHosts(new ShmTransport(), List.of(ranks / 2, ranks - ranks / 2)), new TcpTransport()));
    }

    private static Layout direct(Layout layout) {
        return layout.with("all2all-backend", "direct", "");
    }

    static Stream<Arguments> checkpointsLayoutsAndWays() {
        List<String> dense = ALL ? Oracles.DENSE : List.of("demo-dense");
        List<String> experts = ALL ? Oracles.EXPERTS : List.of("demo-moe");
        var layouts = new ArrayList<>(List.of(Layout.of(2, 2)));
        var mixed = new ArrayList<>(List.of(direct(Layout.of(2, 1).attentionOf(2).experts())));
        if (ALL) {
            layouts.addAll(List.of(Layout.of(4, 1), Layout.of(2, 1), Layout.of(3, 1), Layout.of(1, 3),
                    Layout.of(2, 1).weighted(1, 2)));
            mixed.addAll(List.of(Layout.of(2, 1).attentionOf(2).experts(), Layout.of(4, 1), Layout.of(2, 2).experts(),
                    direct(Layout.of(1, 1).attentionOf(4).experts())));
        }
        Layout spread = Layout.of(2, 1).attentionOf(2).experts();
        Stream<Arguments> backends = experts.stream().flatMap(model -> Stream.of(
                spread.with("all2all-backend", "shm", "").over("shm", ShmTransport::new),
                spread.with("all2all-backend", "rdma", "").over("auto on two hosts", twoHosts(4)))
                .map(layout -> Arguments.of(model, layout)));
        return Stream.concat(backends, WAYS.stream().flatMap(way -> Stream.concat(
                dense.stream().flatMap(model -> layouts.stream().map(layout -> Arguments.of(model, way.apply(layout)))),
                experts.stream().flatMap(model -> mixed.stream().map(layout -> Arguments.of(model, way.apply(layout)))))));
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("checkpointsLayoutsAndWays")
    void matchesTheReference(String model, Layout layout) {
        assumeTrue(!layout.name().contains(UCX) || UcxWithoutDevice.installed(),
                "left out, since UCX is not here (Debian: libucx0)");
        ReferenceCheck.check(Oracles.model(model), layout);
    }
}
