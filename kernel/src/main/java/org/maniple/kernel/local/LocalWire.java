package org.maniple.kernel.local;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;

/** The data links of a rank within this process. */
final class LocalWire implements Wire {

    private static final int ALIGNMENT = 64;
    /** About 2 µs: less than it costs to park and to be woken. */
    private static final int SPINS = 50;

    private final LocalEndpoint endpoint;
    private final List<String> addresses;
    private final Set<Integer> peers;
    private final @Nullable LocalLink[] links;
    /** Until the wire is handed out, guarded by the hub's lock; empty from then on. */
    private final Set<Integer> missing;
    /** Memory stays valid while somebody can reach it: the other end may be reading a frame when this one is closed. */
    private final Arena arena = Arena.ofAuto();
    private final Queue<LocalPending> free = new ArrayDeque<>();
    private final AtomicReference<@Nullable Thread> waiter = new AtomicReference<>();
    private final AtomicReference<@Nullable String> aborted = new AtomicReference<>();
    private final int spins;
    private long waitedNanos;

    LocalWire(LocalEndpoint endpoint, List<String> addresses, Set<Integer> peers, int processors) {
        int ranks = endpoint.identity().ranks();
        if (addresses.size() != ranks) {
            throw new IllegalArgumentException(
                    "connect() needs the addresses of all " + ranks + " ranks, not " + addresses.size());
        }
        for (int peer : peers) {
            if (peer < 0 || peer >= ranks || peer == endpoint.identity().rank()) {
                throw new IllegalArgumentException(
                        "rank " + endpoint.identity().rank() + " of " + ranks + " cannot be connected with rank " + peer);
            }
        }
        this.endpoint = endpoint;
        this.addresses = List.copyOf(addresses);
        this.peers = new TreeSet<>(peers);
        this.missing = new TreeSet<>(peers);
        this.links = new LocalLink[ranks];
        // More threads than processors: the one that is waited for needs the processor.
        this.spins = ranks <= processors ? SPINS : 0;
    }

    LocalEndpoint endpoint() {
        return endpoint;
    }

    Transport.Identity identity() {
        return endpoint.identity();
    }

    Set<Integer> peers() {
        return peers;
    }

    List<String> addresses() {
        return addresses;
    }

    String addressOf(int rank) {
        return addresses.get(rank);
    }

    /** Called under the hub's lock. */
    List<Integer> missing() {
        return List.copyOf(missing);
    }

    /** Called under the hub's lock. */
    boolean complete() {
        return missing.isEmpty();
    }

    /** Called under the hub's lock. */
    void add(int rank, LocalLink link) {
        links[rank] = link;
        missing.remove(rank);
    }

    @Override
    public int rank() {
        return identity().rank();
    }

    @Override
    public MemorySegment allocate(long bytes) {
        return arena.allocate(bytes, ALIGNMENT);
    }

    @Override
    public Pending send(int peer, long tag, MemorySegment data) {
        LocalLink link = usable(peer);
        String failure = link.failure();
        if (failure != null) {
            throw new TransportException(failure);
        }
        LocalPending pending = pending(link).begin(link, true, true, tag, data);
        link.send(pending);
        return pending;
    }

    @Override
    public Pending receive(int peer, long tag, MemorySegment into) {
        return expect(usable(peer), true, tag, into);
    }

    @Override
    public Pending receiveUpTo(int peer, long tag, MemorySegment into) {
        return expect(usable(peer), false, tag, into);
    }

    private Pending expect(LocalLink link, boolean exact, long tag, MemorySegment into) {
        LocalPending pending = pending(link).begin(link, false, exact, tag, into);
        link.expect(pending);
        return pending;
    }

    private LocalPending pending(LocalLink link) {
        LocalPending used = free.poll();
        return used == null ? new LocalPending(link) : used;
    }

    private LocalLink usable(int peer) {
        checkAborted();
        return link(peer);
    }

    private LocalLink link(int peer) {
        LocalLink link = peer >= 0 && peer < links.length ? links[peer] : null;
        if (link == null) {
            throw new IllegalArgumentException("rank " + rank() + " is not connected with rank " + peer + ", only with " + peers);
        }
        return link;
    }

    private void checkAborted() {
        String reason = aborted.get();
        if (reason != null) {
            throw new TransportException(reason);
        }
    }

    @Override
    public boolean progress() {
        checkAborted();
        boolean moved = false;
        for (LocalLink link : links) {
            if (link != null) {
                moved |= link.progress();
            }
        }
        return moved;
    }

    @Override
    public void await(Pending awaited, long limitNanos) {
        if (!(awaited instanceof LocalPending pending)) {
            throw new IllegalArgumentException("a wire can only wait for what it has begun itself, not for " + awaited);
        }
        if (!pending.done()) {
            try {
                drive(pending, limitNanos);
            } finally {
                waiter.set(null);
            }
        }
        pending.end();
        free.add(pending);
    }

    private void drive(LocalPending pending, long limitNanos) {
        long start = System.nanoTime();
        int idle = 0;
        boolean armed = false;
        long idleSince = start;
        boolean waits = false;
        while (true) {
            // Read before the frames: what was sent before the end is still received.
            String failure = pending.link().failure();
            boolean moved = progress();
            long now = System.nanoTime();
            if (moved) {
                waitedNanos += waits ? now - idleSince : 0;
                idleSince = now;
            }
            waits = !moved;
            if (pending.done()) {
                return;
            }
            if (failure != null) {
                throw new TransportException(failure);
            }
            if (moved) {
                idle = 0;
                continue;
            }
            long left = limitNanos - (now - start);
            if (left <= 0) {
                pending.link().fail(pending.missing() + " within " + limitNanos / 1_000_000 + " ms");
            } else if (idle < spins) {
                idle++;
                Thread.onSpinWait();
            } else if (!armed) {
                // Then looks once more: what comes from now on wakes this thread.
                waiter.set(Thread.currentThread());
                armed = true;
            } else {
                park(left);
                armed = false;
            }
        }
    }

    private void park(long nanos) {
        LockSupport.parkNanos(this, nanos);
        if (Thread.currentThread().isInterrupted()) {
            throw new TransportException("rank " + rank() + " was interrupted while it waited for others");
        }
    }

    /** For any thread: something has changed. */
    void wake() {
        if (waiter.get() != null) {
            Thread sleeper = waiter.getAndSet(null);
            if (sleeper != null) {
                LockSupport.unpark(sleeper);
            }
        }
    }

    @Override
    public void abort(String reason) {
        aborted.compareAndSet(null, reason);
        wake();
    }

    @Override
    public long sentBytes(int peer) {
        return link(peer).sentBytes();
    }

    @Override
    public long receivedBytes(int peer) {
        return link(peer).receivedBytes();
    }

    @Override
    public long waitedNanos() {
        return waitedNanos;
    }

    @Override
    public String path(int peer) {
        link(peer);
        return "local";
    }

    @Override
    public void close() {
        abort("the wire of rank " + rank() + " is closed");
        for (LocalLink link : links) {
            if (link != null) {
                link.fail("the wire of rank " + rank() + " is closed");
            }
        }
    }
}
