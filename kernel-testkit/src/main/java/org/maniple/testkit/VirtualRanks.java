package org.maniple.testkit;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assertions;
import org.maniple.api.transport.Endpoint;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.Wire;

/** Ranks of one unit as threads of a test, connected by a transport. */
public final class VirtualRanks implements AutoCloseable {

    /** How long a test waits for what should happen. */
    public static final Duration PATIENCE = Duration.ofSeconds(30);

    /** What a rank does. */
    @FunctionalInterface
    public interface Body {
        /**
         * Runs on the rank's own thread.
         *
         * @param wire connected with all other ranks; closed afterwards
         * @throws Exception to fail
         */
        void run(Wire wire) throws Exception;
    }

    private final List<? extends Port> ports;

    private VirtualRanks(List<? extends Port> ports) {
        this.ports = ports;
    }

    /**
     * Opens a port for every rank.
     *
     * @param transport opens all of them
     * @param ranks how many
     * @return the ranks
     */
    public static VirtualRanks open(Transport transport, int ranks) {
        return new VirtualRanks(IntStream.range(0, ranks)
                .mapToObj(rank -> transport.open(identity(rank, ranks), new Transport.Bind("localhost", 0), GivenContext.empty()))
                .toList());
    }

    /**
     * Who a rank is.
     *
     * @param rank its number
     * @param ranks how many there are
     * @return an identity that fits those of the other ranks
     */
    public static Transport.Identity identity(int rank, int ranks) {
        return new Transport.Identity("virtual", 4, rank, ranks,
                "a secret for virtual ranks".getBytes(StandardCharsets.US_ASCII));
    }

    /**
     * A rank's port.
     *
     * @param rank its number
     * @return the port
     */
    public Port port(int rank) {
        return ports.get(rank);
    }

    /**
     * A rank's endpoint.
     *
     * @param rank its number
     * @return the port, of a {@link org.maniple.api.transport.ControlTransport}
     */
    public Endpoint endpoint(int rank) {
        return ports.get(rank) instanceof Endpoint endpoint
                ? endpoint
                : Assertions.fail("this transport has no control links");
    }

    /**
     * The addresses of all ranks.
     *
     * @return by rank
     */
    public List<String> addresses() {
        return ports.stream().map(Port::address).toList();
    }

    /**
     * All ranks but one.
     *
     * @param rank that one
     * @return the others
     */
    public Set<Integer> others(int rank) {
        return IntStream.range(0, ports.size()).filter(other -> other != rank).boxed().collect(Collectors.toSet());
    }

    /**
     * Runs all ranks to their ends, none of which may fail.
     *
     * @param body what each of them does
     */
    public void run(Body body) {
        List<Optional<Throwable>> failures = attempt(body);
        List<Throwable> all = failures.stream().flatMap(Optional::stream).toList();
        if (!all.isEmpty()) {
            AssertionError error = new AssertionError("ranks failed: " + failures, all.getFirst());
            all.stream().skip(1).forEach(error::addSuppressed);
            throw error;
        }
    }

    /**
     * Runs all ranks to their ends.
     *
     * @param body what each of them does
     * @return by rank, with what it failed
     */
    public List<Optional<Throwable>> attempt(Body body) {
        int ranks = ports.size();
        var failures = new @Nullable Throwable[ranks];
        var finished = new CountDownLatch(ranks);
        var threads = new ArrayList<Thread>();
        for (int rank = 0; rank < ranks; rank++) {
            int own = rank;
            threads.add(Thread.ofPlatform().daemon().name("rank-" + rank).start(() -> {
                try (Wire wire = port(own).connect(addresses(), others(own), PATIENCE)) {
                    finish(body, wire, finished);
                } catch (Throwable e) {
                    failures[own] = e;
                    finished.countDown();
                }
            }));
        }
        threads.forEach(VirtualRanks::join);
        var result = new ArrayList<Optional<Throwable>>();
        for (Throwable failure : failures) {
            result.add(Optional.ofNullable(failure));
        }
        return result;
    }

    /** A rank that is through keeps its wire until the others are, for they may still want something from it. */
    private static void finish(Body body, Wire wire, CountDownLatch finished) throws Exception {
        body.run(wire);
        finished.countDown();
        if (!finished.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            throw new IllegalStateException("rank " + wire.rank() + " has waited for the others in vain");
        }
    }

    private static void join(Thread thread) {
        try {
            Assertions.assertTrue(thread.join(PATIENCE.multipliedBy(2)), () -> thread.getName() + " does not end");
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        ports.forEach(Port::close);
    }
}
