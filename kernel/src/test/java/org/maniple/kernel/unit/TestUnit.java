package org.maniple.kernel.unit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.maniple.api.transport.HostProcess;

/** A unit within this process: rank 0 and 1 on node-a, 2 and 3 on node-b, and so on. */
final class TestUnit implements AutoCloseable {

    static final String LEADER = "10.0.0.0:7070";

    final MemoryEndpoint.Net net = new MemoryEndpoint.Net();
    final int ranks;
    final Map<Integer, Membership> members = new HashMap<>();
    final Map<Integer, RecordedEvents> events = new HashMap<>();
    final Map<Integer, RankProgress> progress = new HashMap<>();
    private final List<MemoryEndpoint> endpoints = new ArrayList<>();
    private UnitTimes times = new UnitTimes(
            Duration.ofSeconds(60), Duration.ofSeconds(10), Duration.ofMillis(20), Duration.ofSeconds(20),
            Duration.ofSeconds(30));

    TestUnit(int ranks) {
        this.ranks = ranks;
    }

    TestUnit times(UnaryOperator<UnitTimes> change) {
        times = change.apply(times);
        return this;
    }

    TestUnit grace(Duration grace) {
        return times(t -> new UnitTimes(t.joinLimit(), t.noticeEvery(), t.heartbeat(), t.lease(), grace));
    }

    /** What ranks say about their ports. */
    static final SortedMap<String, String> PORTS = new TreeMap<>(Map.of("quick", "over there", "slow", "somewhere"));

    static Hello hello(int rank) {
        TreeMap<String, String> plugins = new TreeMap<>(Map.of("model-llama", "0.1.0", "transport-tcp", "0.1.0"));
        TreeMap<String, String> configuration = new TreeMap<>(
                Map.of("max-num-batched-tokens", "2048", "tensor-parallel-size", "2"));
        TreeMap<String, String> model = new TreeMap<>(
                Map.of("config.json", "c0ffee", "model-00001.safetensors", "123 bytes, abcd"));
        return new Hello(Hello.PROTOCOL, "0.1.0", 4, rank, "node-" + (char) ('a' + rank / 2), 1000 + rank, "",
                "incarnation-" + rank,
                rank == 0 ? LEADER : "10.0.0." + rank + ":7070", PORTS, plugins, configuration, model, "program-1",
                Map.of("pp", rank / 2, "tp", rank % 2), 100 * (rank + 1), rank == 0);
    }

    UnitLeader leader(Ticker ticker) {
        return leader(hello(0), ticker);
    }

    UnitLeader leader(Hello hello, Ticker ticker) {
        List<String> places = IntStream.range(0, ranks).mapToObj(rank -> "node " + rank / 2).toList();
        UnitLeader leader = new UnitLeader(endpoint(LEADER, 0), hello, places, times, progress(0), events(0), ticker);
        members.put(0, leader);
        return leader;
    }

    UnitFollower follower(Hello hello, Ticker ticker) {
        int rank = hello.rank();
        UnitFollower follower = new UnitFollower(endpoint(hello.address(), rank), LEADER, hello, times, progress(rank),
                events(rank), ticker);
        members.put(rank, follower);
        return follower;
    }

    MemoryEndpoint endpoint(String address, int rank) {
        MemoryEndpoint endpoint = new MemoryEndpoint(net, address, rank);
        endpoints.add(endpoint);
        return endpoint;
    }

    /** Says hello for a rank whose process is another one of this host. */
    static Hello hello(int rank, HostProcess process) {
        Hello hello = hello(rank);
        return new Hello(hello.protocol(), hello.version(), hello.epoch(), rank, hello.host(), process.process(),
                process.toString(),
                hello.incarnation(), hello.address(), hello.ports(), hello.plugins(), hello.configuration(), hello.model(),
                hello.program(), hello.coordinates(), hello.weightBytes(), hello.serves());
    }

    RankProgress progress(int rank) {
        return progress.computeIfAbsent(rank, key -> new RankProgress());
    }

    /** Breaks the control link of a rank but 0, as the death of its process does. */
    void kill(int rank, String reason) {
        endpoints.stream().filter(endpoint -> endpoint.rank() == rank).forEach(endpoint -> endpoint.dialled().breakOff(reason));
    }

    /** A rank of which only the link exists: it says hello, and from then on only what the test says. */
    MemoryEndpoint.MemoryLink puppet(int rank) {
        MemoryEndpoint.MemoryLink link = endpoint(hello(rank).address(), rank).dial(LEADER, 0, Duration.ofSeconds(30));
        link.start(new IgnoringListener());
        link.send(MessageCodec.encode(hello(rank)));
        return link;
    }

    RecordedEvents events(int rank) {
        return events.computeIfAbsent(rank, key -> new RecordedEvents());
    }

    /** All ranks join, on threads of their own. */
    TestUnit joined() {
        leader(Ticker.system());
        IntStream.range(1, ranks).forEach(rank -> follower(hello(rank), Ticker.system()));
        all(member -> {
            member.join();
        });
        return this;
    }

    /** All ranks join and go through all phases. */
    TestUnit ready() {
        joined();
        for (Phase phase : List.of(Phase.LINKED, Phase.LOADED, Phase.READY)) {
            all(member -> member.reach(phase, Duration.ofSeconds(60)));
        }
        return this;
    }

    /** Does something on all ranks at the same time, and waits until all have done it. */
    void all(Consumer<Membership> action) {
        List<CompletableFuture<?>> running = new ArrayList<>();
        members.values().forEach(member -> running.add(async(() -> {
            action.accept(member);
            return true;
        })));
        running.forEach(TestUnit::get);
    }

    static <T> CompletableFuture<T> async(Supplier<T> action) {
        return CompletableFuture.supplyAsync(action, task -> Thread.ofPlatform().daemon(true).start(task));
    }

    /** The result, within a minute. */
    static <T> T get(CompletableFuture<T> future) {
        try {
            return future.orTimeout(60, TimeUnit.SECONDS).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    /** Waits until something is so, for at most half a minute. */
    static void until(BooleanSupplier so) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!so.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("not so after 30 s");
            }
            Thread.sleep(5);
        }
    }

    @Override
    public void close() {
        all(Membership::close);
        endpoints.forEach(MemoryEndpoint::close);
    }
}
