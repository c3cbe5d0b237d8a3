package org.maniple.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.Wire;

/**
 * One of the two processes of {@link WireTimes}. It prints its address, reads both from its input, and sends frames to and fro; rank 0 prints a line per
 * size: bytes, median, 99th percentile and minimum of half the round trip in microseconds.
 */
final class WireRank {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final byte[] SECRET = "a secret for benchmarks".getBytes(StandardCharsets.US_ASCII);
    private static final int FIRST_SIZE = 2;
    private static final int WARM_UP = 20_000;
    private static final double HALF_IN_MICROS = 2e3;

    private final Wire wire;
    private final int peer;
    private long sequence;

    private WireRank(Wire wire) {
        this.wire = wire;
        this.peer = 1 - wire.rank();
    }

    /**
     * Runs the rank.
     *
     * @param arguments the transport, its number, then pairs of bytes and repetitions
     * @throws IOException if there are no addresses on its input
     */
    public static void main(String[] arguments) throws IOException {
        int rank = Integer.parseInt(arguments[1]);
        try (Port port = NamedTransport.open(arguments[0], new Transport.Identity("benchmark", 1, rank, 2, SECRET));
                BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            System.out.println(port.address());
            try (Wire wire = port.connect(List.of(in.readLine().split(" ")), Set.of(1 - rank), LIMIT)) {
                var own = new WireRank(wire);
                // Until the compiler has seen enough.
                own.toAndFro(Integer.parseInt(arguments[FIRST_SIZE]), WARM_UP);
                for (int pass = 0; pass < 2; pass++) {
                    for (int i = FIRST_SIZE; i < arguments.length; i += 2) {
                        own.toAndFro(Integer.parseInt(arguments[i]), Math.max(10, Integer.parseInt(arguments[i + 1]) / 2));
                    }
                }
                for (int i = FIRST_SIZE; i < arguments.length; i += 2) {
                    double[] took = own.toAndFro(Integer.parseInt(arguments[i]), Integer.parseInt(arguments[i + 1]));
                    if (rank == 0) {
                        Arrays.sort(took);
                        System.out.println(
                                arguments[i] + " " + took[took.length / 2] + " " + took[took.length * 99 / 100] + " " + took[0]);
                    }
                }
            }
        }
    }

    private double[] toAndFro(int bytes, int times) {
        MemorySegment out = wire.allocate(bytes);
        MemorySegment into = wire.allocate(bytes);
        double[] took = new double[times];
        for (int i = 0; i < times; i++) {
            long tag = Tag.of(Tag.Operation.TRANSFER, 0, sequence++);
            long start = System.nanoTime();
            if (wire.rank() == 0) {
                Wire.Pending back = wire.receive(peer, tag, into);
                wire.await(wire.send(peer, tag, out), LIMIT.toNanos());
                wire.await(back, LIMIT.toNanos());
            } else {
                wire.await(wire.receive(peer, tag, into), LIMIT.toNanos());
                wire.await(wire.send(peer, tag, out), LIMIT.toNanos());
            }
            took[i] = (System.nanoTime() - start) / HALF_IN_MICROS;
        }
        return took;
    }
}
