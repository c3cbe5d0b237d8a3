package org.maniple.transport.tcp;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.WaitStrategy;
import org.maniple.api.transport.Wire;

/** The data links of a rank. The thread that uses it reads and writes the sockets itself. */
final class TcpWire implements Wire {

    private static final int ALIGNMENT = 64;

    /** A peer's connection, before it is a link of the wire. */
    record Connection(String address, DataSocket socket, Protection protection, byte[] first) {}

    private final int rank;
    private final WaitStrategy waiting;
    private final Map<Integer, DataLink> connected = new TreeMap<>();
    private final @Nullable DataLink[] links;
    /** Valid while somebody can reach it: whoever still holds a segment after the wire is closed must not crash the process. */
    private final Arena arena = Arena.ofAuto();
    private final Queue<TcpPending> free = new ArrayDeque<>();
    private final AtomicReference<@Nullable String> aborted = new AtomicReference<>();
    private final AtomicReference<@Nullable TcpPending> awaited = new AtomicReference<>();
    private final Poller poller;
    private boolean closed;
    private long waitedNanos;

    TcpWire(int rank, int ranks, Map<Integer, Connection> connections, Sockets sockets, WaitStrategy waiting) {
        this.rank = rank;
        this.waiting = waiting;
        this.links = new DataLink[ranks];
        this.poller = new Poller(sockets.handlers(), () -> aborted.get() == null);
        var views = new Views();
        connections.forEach((peer, connection) -> {
            var link = new DataLink(peer, connection.address(), connection.socket(), connection.protection(),
                    connection.first(), views, this::allocate);
            connected.put(peer, link);
            links[peer] = link;
            register(link);
        });
    }

    private void register(DataLink link) {
        try {
            link.socket().register(poller.handler());
        } catch (Exception e) {
            link.fail(link + " closed the connection: " + e);
        }
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public MemorySegment allocate(long bytes) {
        return arena.allocate(bytes, ALIGNMENT);
    }

    @Override
    public Pending send(int peer, long tag, MemorySegment data) {
        DataLink link = usable(peer, data);
        String failure = link.failure();
        if (failure != null) {
            throw new TransportException(failure);
        }
        TcpPending pending = pending(link);
        pending.begin(link, true, true, tag, data);
        link.send(pending);
        return pending;
    }

    @Override
    public Pending receive(int peer, long tag, MemorySegment into) {
        return expect(usable(peer, into), true, tag, into);
    }

    @Override
    public Pending receiveUpTo(int peer, long tag, MemorySegment into) {
        return expect(usable(peer, into), false, tag, into);
    }

    private Pending expect(DataLink link, boolean exact, long tag, MemorySegment into) {
        TcpPending pending = pending(link);
        pending.begin(link, false, exact, tag, into);
        link.expect(pending);
        return pending;
    }

    private TcpPending pending(DataLink link) {
        TcpPending used = free.poll();
        return used == null ? new TcpPending(link) : used;
    }

    private DataLink usable(int peer, MemorySegment memory) {
        checkAborted();
        if (!memory.isNative() || memory.byteSize() > FrameHeader.MAX_PAYLOAD) {
            throw new IllegalArgumentException(
                    "frames are sent from and received into native memory of at most " + FrameHeader.MAX_PAYLOAD
                            + " bytes, not " + memory);
        }
        return link(peer);
    }

    private DataLink link(int peer) {
        DataLink link = peer >= 0 && peer < links.length ? links[peer] : null;
        if (link == null) {
            throw new IllegalArgumentException(
                    "rank " + rank + " is not connected with rank " + peer + ", only with " + connected.keySet());
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
        for (DataLink link : links) {
            if (link != null) {
                moved |= link.progress();
            }
        }
        return moved;
    }

    @Override
    public void await(Pending begun, long limitNanos) {
        TcpPending pending = own(begun);
        if (!pending.done()) {
            drive(pending, limitNanos, true);
        }
        free.add(pending);
    }

    @Override
    public boolean linger(Pending begun, long nanos) {
        TcpPending pending = own(begun);
        if (!pending.done() && !drive(pending, nanos, false)) {
            return false;
        }
        free.add(pending);
        return true;
    }

    private TcpPending own(Pending begun) {
        if (!(begun instanceof TcpPending pending)) {
            throw new IllegalArgumentException("a wire can only wait for what it has begun itself, not for " + begun);
        }
        awaited.setRelease(pending);
        return pending;
    }

    /** Until it is done, or the time is over, which may be a failure. */
    private boolean drive(TcpPending pending, long limitNanos, boolean fails) {
        long start = System.nanoTime();
        long idleSince = start;
        boolean idle = false;
        waiting.begin(start, pending.segment().byteSize());
        while (true) {
            boolean moved = progress();
            long now = System.nanoTime();
            waiting.look(now);
            if (moved) {
                waitedNanos += idle ? now - idleSince : 0;
                idleSince = now;
            }
            idle = !moved;
            if (pending.done()) {
                return true;
            }
            String failure = pending.link().failure();
            if (failure != null) {
                throw new TransportException(failure);
            }
            if (moved) {
                continue;
            }
            if (now - start >= limitNanos) {
                if (!fails) {
                    return false;
                }
                pending.link()
                        .fail(pending.missing() + (limitNanos > 0 ? " within " + limitNanos / 1_000_000 + " ms" : " in time"));
            } else if (waiting.sleepNow(now, idleSince)) {
                sleep(limitNanos - (now - start));
                waiting.awake(System.nanoTime());
            }
        }
    }

    private void sleep(long nanos) {
        for (DataLink link : links) {
            if (link != null) {
                link.declareInterest();
            }
        }
        poller.await(nanos);
        if (Thread.currentThread().isInterrupted()) {
            throw new TransportException("rank " + rank + " was interrupted while it waited for others");
        }
    }

    @Override
    public void abort(String reason) {
        aborted.compareAndSet(null, reason);
        poller.wakeup();
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
    public String standing() {
        TcpPending last = awaited.getAcquire();
        return last == null ? "" : last.done() ? "rank " + rank + " has come to " + Tag.describe(last.tag()) : last.missing();
    }

    @Override
    public String path(int peer) {
        DataLink link = link(peer);
        return "tcp " + link.socket().interfaceName() + " " + link.host() + link.security().path();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            aborted.compareAndSet(null, "the wire of rank " + rank + " is closed");
            connected.values().forEach(link -> link.fail("the wire of rank " + rank + " is closed"));
            poller.close();
        }
    }
}
