package org.maniple.transport.rdma;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.WaitStrategy;
import org.maniple.api.transport.Wire;

/**
 * Brings the links of a rank together: each end proves to the other that it knows the unit's secret, and says when it has understood the
 * other's proof. Then neither needs the other to make UCX' connection complete.
 */
final class Connecting {

    private static final long PAUSE_NANOS = 100_000;
    private static final long NONE = 0;
    private static final String LANE = "lane[";

    private final Transport.Identity identity;
    private final Locator.Reachable here;
    private final Worker worker;
    private final boolean leavesHost;
    private final Arena arena;
    private final Proof proof;
    private final Memory memory;
    /** By rank: why UCX has given up a peer. Written while the worker is driven. */
    private final Map<Integer, String> broken = new HashMap<>();
    private final Map<Integer, RdmaLink> links = new HashMap<>();

    /**
     * Begins with nothing.
     *
     * @param arena lives as long as the worker
     */
    Connecting(Transport.Identity identity, Locator.Reachable here, Worker worker, boolean leavesHost, Arena arena) {
        this.identity = identity;
        this.here = here;
        this.worker = worker;
        this.leavesHost = leavesHost;
        this.arena = arena;
        this.proof = new Proof(identity);
        this.memory = new Memory(worker, arena);
    }

    /** One peer. */
    private final class Introduction {
        private final int peer;
        private final Locator.Reachable there;
        private final long endpoint;
        private final MemorySegment mine = memory.allocate(Proof.BYTES);
        private final MemorySegment theirs = memory.allocate(Proof.BYTES);
        private final MemorySegment understood = memory.allocate(Long.BYTES);
        private final List<Long> sending = new ArrayList<>();
        private long introduced;
        private long ready;
        private boolean known;
        private boolean complete;

        Introduction(int peer, Locator.Reachable there, MemorySegment handler) throws UcxException {
            this.peer = peer;
            this.there = there;
            this.endpoint = worker.endpoint(there.worker(), handler, peer);
            byte[] own = proof.introduction(identity.rank(), peer, here.nonce(), there.nonce());
            MemorySegment.copy(own, 0, mine, JAVA_BYTE, 0, own.length);
            introduced = worker.receive(theirs.address(), Proof.BYTES, Lane.tag(peer, -1), worker.plain());
            ready = worker.receive(understood.address(), Long.BYTES, Lane.tag(peer, -2), worker.plain());
            begun(worker.send(endpoint, mine.address(), Proof.BYTES, Lane.tag(identity.rank(), -1), worker.plain()));
        }

        private void begun(long request) {
            if (request != NONE) {
                sending.add(request);
            }
        }

        /** Whether it has come to an end. */
        boolean advance() throws UcxException {
            if (!known && (introduced == NONE || worker.done(introduced))) {
                introduced = NONE;
                known = true;
                if (!Proof.equal(theirs.toArray(JAVA_BYTE),
                        proof.introduction(peer, identity.rank(), there.nonce(), here.nonce()))) {
                    throw new TransportException(RdmaLink.describe(peer, there.place())
                            + " does not know the unit secret (or ours differs), or belongs to another unit or epoch;"
                            + " give all ranks the same secret");
                }
                // Synchronously: UCX then knows all that it needs to know about the other end for what follows.
                begun(worker.sendSynchronously(endpoint, mine.address(), 0, Lane.tag(identity.rank(), -2), worker.plain()));
                begun(worker.flush(endpoint));
            }
            if (known && !complete && (ready == NONE || worker.done(ready))) {
                ready = NONE;
                complete = true;
            }
            sending.removeIf(worker::over);
            return complete && sending.isEmpty();
        }

        RdmaLink link(Views views) throws UcxException {
            int own = identity.rank();
            long out = proof.firstMessage(own, peer, here.nonce(), there.nonce());
            long in = proof.firstMessage(peer, own, there.nonce(), here.nonce());
            return new RdmaLink(peer, there.place(), path(), worker, endpoint,
                    new OutgoingFrames(worker, memory, views, own, out + 1, leavesHost, endpoint),
                    new IncomingFrames(worker, memory, views, own, peer, in + 1, leavesHost),
                    new Goodbye(worker, endpoint, memory.allocate(Long.BYTES).address(), Lane.tag(own, out), Lane.tag(peer, in)));
        }

        /** UCX has no other way to tell, before version 1.15, than printing. */
        private String path() {
            return "rdma " + worker.describe(endpoint).lines()
                    .filter(line -> line.contains(LANE) && line.contains("/"))
                    .map(line -> line.substring(line.indexOf(LANE)).split("\\s+", 3)[1].replaceFirst("^\\d+:", "")
                            .replaceFirst("\\.\\d+$", ""))
                    .distinct()
                    .reduce((one, other) -> one + "+" + other)
                    .orElse("ucx");
        }

        void forget(Ending ending) {
            ending.end(endpoint);
            if (introduced != NONE) {
                ending.cancel(introduced);
            }
            if (ready != NONE) {
                ending.cancel(ready);
            }
            sending.forEach(ending::add);
        }
    }

    Wire connect(Map<Integer, Locator.Reachable> peers, Duration limit, WaitStrategy waiting) {
        MemorySegment handler = handler();
        var introductions = new ArrayList<Introduction>();
        try {
            for (Map.Entry<Integer, Locator.Reachable> peer : peers.entrySet()) {
                introductions.add(new Introduction(peer.getKey(), peer.getValue(), handler));
            }
            await(introductions, limit.toNanos());
            var views = new Views();
            for (Introduction introduction : introductions) {
                links.put(introduction.peer, introduction.link(views));
            }
            return new RdmaWire(identity.rank(), identity.ranks(), here.place(), worker, memory, arena, links.values(), waiting);
        } catch (UcxException | RuntimeException e) {
            giveUp(introductions);
            throw e instanceof RuntimeException failure
                    ? failure
                    : new TransportException("rank " + identity.rank() + " cannot be connected: " + e.getMessage(), e);
        }
    }

    private void await(List<Introduction> introductions, long limitNanos) throws UcxException {
        long start = System.nanoTime();
        var missing = new ArrayList<>(introductions);
        while (true) {
            boolean moved = worker.progress();
            for (Introduction introduction : List.copyOf(missing)) {
                if (introduction.advance()) {
                    missing.remove(introduction);
                    moved = true;
                }
            }
            if (missing.isEmpty()) {
                return;
            }
            if (System.nanoTime() - start >= limitNanos || missing.stream().allMatch(one -> broken.containsKey(one.peer))) {
                throw new TransportException("rank " + identity.rank() + " is not connected after "
                        + (System.nanoTime() - start) / 1_000_000 + " ms with "
                        + String.join(", ", missing.stream().map(this::why).toList()));
            }
            if (!moved) {
                pause();
            }
        }
    }

    private String why(Introduction one) {
        return RdmaLink.describe(one.peer, one.there.place()) + ": " + broken.getOrDefault(one.peer, "it has not answered");
    }

    private void pause() {
        LockSupport.parkNanos(this, PAUSE_NANOS);
        if (Thread.currentThread().isInterrupted()) {
            throw new TransportException("rank " + identity.rank() + " was interrupted while it connected");
        }
    }

    private void giveUp(List<Introduction> introductions) {
        var ending = new Ending(worker);
        introductions.forEach(introduction -> introduction.forget(ending));
        ending.await(TimeUnit.SECONDS.toNanos(1));
        memory.close();
        worker.close();
        arena.close();
    }

    private MemorySegment handler() {
        try {
            MethodHandle method = MethodHandles.lookup()
                    .findVirtual(Connecting.class, "failed",
                            MethodType.methodType(void.class, long.class, long.class, byte.class))
                    .bindTo(this);
            return Linker.nativeLinker().upcallStub(method, FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_BYTE), arena);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Called by UCX, while the worker is driven. What it would throw would end the process. */
    void failed(long peer, long endpoint, byte status) {
        int rank = (int) peer;
        RdmaLink link = links.get(rank);
        String how = "closed the connection: " + worker.words(status);
        broken.put(rank, how);
        if (link != null) {
            link.lose(how);
        }
    }
}
