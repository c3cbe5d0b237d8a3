package org.maniple.bench;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.maniple.api.HostInfo;
import org.maniple.api.collective.AllToAll;
import org.maniple.api.collective.Communicator;
import org.maniple.api.collective.PairExchange;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.transport.Wire;
import org.maniple.collectives.tree.TreeCollectives;
import org.maniple.kernel.local.LocalTransport;
import org.maniple.moe.ep.DirectAllToAll;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.GivenSettings;
import org.maniple.testkit.VirtualRanks;

/**
 * Prints how many bytes all ranks together really send for one layer of experts, with the transport's headers, next to the minimum: the row of a token to each
 * other rank that has one of its experts, and as many sums back.
 */
public final class WireBytes {

    private static final int EXPERTS = 64;
    private static final int SEED = 20;

    private final int tokens;
    private final int width;

    private WireBytes(int tokens, int width) {
        this.tokens = tokens;
        this.width = width;
    }

    /**
     * Prints the table.
     *
     * @param arguments {@code --tokens} of each rank and {@code --width} of a row, each with a number
     */
    public static void main(String[] arguments) {
        new WireBytes(number(arguments, "--tokens", 64), number(arguments, "--width", 1024)).print();
    }

    private static int number(String[] arguments, String flag, int otherwise) {
        int at = List.of(arguments).indexOf(flag);
        return at < 0 ? otherwise : Integer.parseInt(arguments[at + 1]);
    }

    private void print() {
        System.out.printf(
                "%d tokens on each rank, rows of %d F32, %d experts; KiB sent by all ranks for one layer (dispatch + combine)%n%n",
                tokens, width, EXPERTS);
        System.out.println(
                "| EP | top | routing | minimum | `direct` low latency | ÷ min | `direct` high throughput | ÷ min | `direct` fp8 | `allgather_reducescatter` | ÷ min | `direct` ÷ `allgather_…` |");
        System.out.println("| ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        for (int ranks : new int[] {4, 8}) {
            for (int choices : new int[] {2, 8}) {
                for (boolean skewed : new boolean[] {false, true}) {
                    line(Routing.of(ranks, EXPERTS / ranks, tokens, choices, skewed, new Random(SEED)), skewed);
                }
            }
        }
    }

    private void line(Routing routing, boolean skewed) {
        long minimum = 2 * routing.visits() * width * Float.BYTES;
        long lowLatency = direct(routing, "low_latency", "f32");
        long highThroughput = direct(routing, "high_throughput", "f32");
        long gathered = gathered(routing);
        System.out.printf("| %d | %d | %s | %d | %d | %.4f | %d | %.4f | %d | %d | %.2f | %.2f |%n", routing.ranks(),
                routing.choices(),
                skewed ? "Zipf" : "uniform", minimum >> 10, lowLatency >> 10, (double) lowLatency / minimum, highThroughput >> 10,
                (double) highThroughput / minimum, direct(routing, "high_throughput", "fp8") >> 10, gathered >> 10,
                (double) gathered / minimum,
                (double) lowLatency / gathered);
    }

    private long direct(Routing routing, String mode, String dtype) {
        var way = new DirectAllToAll();
        var context = new GivenContext(
                new GivenSettings(way.options(), Map.of("all2all-mode", mode, "moe-dispatch-dtype", dtype)),
                new HostInfo("localhost", "linux", "amd64", 2, 1L << 30), new CopyOnWriteArrayList<>());
        return sent(routing.ranks(), (wire, communicator, group) -> {
            int most = routing.ranks() * tokens;
            PairExchange exchange = way.open(new AllToAll.Setting(communicator, group, width, routing.choices(),
                    routing.expertsOfRank(), tokens, wire::allocate), context);
            Tensor pairs = floats(wire, most * routing.choices(), width)
                    .ragged(new PairRows(routing.expertsOfRank(), routing.choices(), most, most * routing.choices()));
            exchange.dispatch(floats(wire, tokens, width), floats(wire, tokens, routing.choices()), routing.owners(wire.rank()),
                    wire.rank() * tokens, most, tokens, pairs);
            exchange.combine(pairs, floats(wire, tokens, width));
        });
    }

    /** Every rank gets all rows, and every rank's sums are added where the tokens are. */
    private long gathered(Routing routing) {
        return sent(routing.ranks(), (wire, communicator, group) -> {
            long[] parts = new long[routing.ranks()];
            Arrays.fill(parts, (long) tokens * width * Float.BYTES);
            MemorySegment mine = wire.allocate(parts[0]);
            MemorySegment all = wire.allocate(parts[0] * routing.ranks());
            communicator.allGather(group, mine, parts, all);
            communicator.reduceScatter(group, all, parts, mine);
        });
    }

    private static Tensor floats(Wire wire, int rows, int elements) {
        return Tensor.of(DType.F32, new int[] {rows, elements}, wire.allocate((long) Float.BYTES * rows * elements));
    }

    private interface Body {
        void run(Wire wire, Communicator communicator, Communicator.Group group);
    }

    private static long sent(int ranks, Body body) {
        var sum = new AtomicLong();
        try (var virtual = VirtualRanks.open(new LocalTransport(), ranks)) {
            virtual.run(wire -> {
                Communicator communicator = new TreeCollectives().open(wire, VirtualRanks.PATIENCE.toNanos(),
                        GivenContext.empty());
                body.run(wire, communicator, communicator.group(1, IntStream.range(0, ranks).boxed().toList()));
                IntStream.range(0, ranks).filter(rank -> rank != wire.rank())
                        .forEach(rank -> sum.addAndGet(wire.sentBytes(rank)));
            });
        }
        return sum.get();
    }
}
