package org.maniple.transport.rdma;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;
import org.maniple.testkit.GivenContext;

/**
 * A rank in a process of its own. It prints its address, reads those of all ranks, and then exchanges frames until that fails; then it prints
 * when and why.
 */
final class RankProgram {

    static final String RUNNING = "running";
    static final String FAILED = "failed ";

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int LARGE = 1 << 20;

    private RankProgram() {}

    /** Runs rank {@code arguments[0]} of {@code arguments[1]} over the back end {@code arguments[2]}. */
    public static void main(String[] arguments) throws IOException {
        int rank = Integer.parseInt(arguments[0]);
        int ranks = Integer.parseInt(arguments[1]);
        var identity = new Transport.Identity("faults", 1, rank, ranks, "a secret for tests".getBytes(StandardCharsets.US_ASCII));
        List<Integer> all = IntStream.range(0, ranks).boxed().toList();
        Transport transport = new RdmaTransport(Backends.settings(arguments[2].split(",")));
        try (Port port = transport.open(identity, new Transport.Bind("localhost", 0), GivenContext.empty());
                var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            System.out.println(port.address());
            List<String> addresses = List.of(in.readLine().split(" "));
            try (Wire wire = port.connect(addresses, all.stream().filter(other -> other != rank).collect(Collectors.toSet()),
                    LIMIT)) {
                run(wire, ranks);
            }
        }
    }

    private static void run(Wire wire, int ranks) {
        MemorySegment out = wire.allocate(LARGE);
        MemorySegment into = wire.allocate(LARGE);
        try {
            for (long step = 0;; step++) {
                long bytes = step % 4 == 0 ? LARGE : 100;
                long tag = Tag.of(Tag.Operation.TRANSFER, 7, step);
                Wire.Pending coming = wire.receive((wire.rank() + ranks - 1) % ranks, tag, into.asSlice(0, bytes));
                Wire.Pending going = wire.send((wire.rank() + 1) % ranks, tag, out.asSlice(0, bytes));
                wire.await(coming, LIMIT.toNanos());
                wire.await(going, LIMIT.toNanos());
                if (step == 20) {
                    System.out.println(RUNNING);
                }
            }
        } catch (TransportException e) {
            System.out.println(FAILED + System.nanoTime() + " " + e.getMessage());
        }
    }
}
