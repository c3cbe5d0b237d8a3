package org.maniple.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.maniple.api.collective.Communicator;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.Wire;
import org.maniple.collectives.tree.TreeCollectives;
import org.maniple.testkit.GivenContext;

/**
 * One of the processes of {@link CollectiveTimes}. It prints its address, reads those of all ranks from its input, and all-reduces; rank 0
 * prints a line per size: bytes, median, 99th percentile and minimum in microseconds.
 */
final class CollectiveRank {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final byte[] SECRET = "a secret for benchmarks".getBytes(StandardCharsets.US_ASCII);

    private static final int WARM_PASSES = 4;
    /** After the compiler is through: so that the ranks find out that nobody else wants their processors. */
    private static final int SETTLE = 20_000;
    /** Of the arguments. */
    private static final int FIRST_SIZE = 3;

    private final Wire wire;
    private final Communicator communicator;
    private final Communicator.Group group;
    private final MemorySegment memory;

    private CollectiveRank(Wire wire, int ranks, int largest) {
        this.wire = wire;
        this.memory = wire.allocate(largest);
        this.communicator = new TreeCollectives().open(wire, LIMIT.toNanos(), GivenContext.empty());
        this.group = communicator.group(1, IntStream.range(0, ranks).boxed().toList());
    }

    /**
     * Runs the rank.
     *
     * @param arguments the transport, its number, the number of ranks, then pairs of bytes and repetitions
     * @throws IOException if there are no addresses on its input
     */
    public static void main(String[] arguments) throws IOException {
        int rank = Integer.parseInt(arguments[1]);
        int ranks = Integer.parseInt(arguments[2]);
        var identity = new Transport.Identity("benchmark", 1, rank, ranks, SECRET);
        try (Port port = NamedTransport.open(arguments[0], identity);
                BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            System.out.println(port.address());
            List<String> addresses = List.of(in.readLine().split(" "));
            Set<Integer> others = IntStream.range(0, ranks).filter(r -> r != rank).boxed().collect(Collectors.toSet());
            try (Wire wire = port.connect(addresses, others, LIMIT)) {
                var own = new CollectiveRank(wire, ranks, largest(arguments));
                own.warmUp(arguments);
                for (int i = FIRST_SIZE; i < arguments.length; i += 2) {
                    own.measure(Integer.parseInt(arguments[i]), Integer.parseInt(arguments[i + 1]), System.out);
                }
                own.communicator.barrier(own.group);
            }
        }
    }

    private static int largest(String[] arguments) {
        int largest = 0;
        for (int i = FIRST_SIZE; i < arguments.length; i += 2) {
            largest = Math.max(largest, Integer.parseInt(arguments[i]));
        }
        return largest;
    }

    /** Lets the compiler see everything: while it works, it takes a processor that a rank needs. */
    private void warmUp(String[] arguments) {
        for (int pass = 0; pass < WARM_PASSES; pass++) {
            for (int i = FIRST_SIZE; i < arguments.length; i += 2) {
                MemorySegment data = memory.asSlice(0, Integer.parseInt(arguments[i]));
                for (int t = 0; t < Integer.parseInt(arguments[i + 1]) / WARM_PASSES; t++) {
                    communicator.allReduce(group, data);
                }
            }
        }
        MemorySegment first = memory.asSlice(0, Integer.parseInt(arguments[FIRST_SIZE]));
        for (int t = 0; t < SETTLE; t++) {
            communicator.allReduce(group, first);
        }
    }

    private void measure(int bytes, int times, PrintStream out) {
        MemorySegment data = memory.asSlice(0, bytes);
        check(data);
        data.fill((byte) 0);
        double[] took = new double[times];
        for (int t = -times / 2; t < times; t++) {
            long start = System.nanoTime();
            communicator.allReduce(group, data);
            if (t >= 0) {
                took[t] = (System.nanoTime() - start) / 1e3;
            }
        }
        if (wire.rank() == 0) {
            Arrays.sort(took);
            out.println(bytes + " " + took[times / 2] + " " + took[times * 99 / 100] + " " + took[0]);
        }
    }

    private void check(MemorySegment data) {
        int floats = (int) (data.byteSize() / Float.BYTES);
        for (int i = 0; i < floats; i++) {
            data.setAtIndex(ValueLayout.JAVA_FLOAT, i, wire.rank() + 1);
        }
        communicator.allReduce(group, data);
        for (int i = 0; i < floats; i++) {
            float expected = group.size() * (group.size() + 1) / 2f;
            if (data.getAtIndex(ValueLayout.JAVA_FLOAT, i) != expected) {
                throw new IllegalStateException("element " + i + " of the sum is " + data.getAtIndex(ValueLayout.JAVA_FLOAT, i)
                        + " instead of " + expected);
            }
        }
    }
}
