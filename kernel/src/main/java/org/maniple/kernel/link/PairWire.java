package org.maniple.kernel.link;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Window;
import org.maniple.api.transport.Wire;

/**
 * One wire over several, one for each peer. While it waits for something on one of them, what has been begun on the others goes on: a peer there may
 * have to get it before it does what is waited for.
 */
final class PairWire implements Wire {

    /** How long to stay with one wire while there is something to do on another. */
    private static final long TURN_NANOS = 50_000;

    private final int rank;
    private final List<Wire> wires;
    private final @Nullable Wire[] byPeer;
    private final int[] islands;
    /** What has been begun and was not done yet when somebody looked last, by wire. */
    private final List<List<PairPending>> begun = new ArrayList<>();
    private final Queue<PairPending> free = new ArrayDeque<>();
    private final Map<Integer, Window> windows = new HashMap<>();
    private final AtomicReference<@Nullable String> aborted = new AtomicReference<>();
    private final AtomicReference<@Nullable Wire> last = new AtomicReference<>();

    PairWire(int rank, List<Wire> wires, @Nullable Wire[] byPeer, int[] islands) {
        this.rank = rank;
        this.wires = List.copyOf(wires);
        this.byPeer = byPeer.clone();
        this.islands = islands.clone();
        wires.forEach(wire -> begun.add(new ArrayList<>()));
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public MemorySegment allocate(long bytes) {
        return wires.getFirst().allocate(bytes);
    }

    private Wire wire(int peer) {
        Wire wire = peer >= 0 && peer < byPeer.length ? byPeer[peer] : null;
        if (wire == null) {
            throw new IllegalArgumentException("rank " + rank + " is not connected with rank " + peer);
        }
        return wire;
    }

    @Override
    public Pending send(int peer, long tag, MemorySegment data) {
        Wire wire = wire(peer);
        return begin(wire, wire.send(peer, tag, data));
    }

    @Override
    public Pending receive(int peer, long tag, MemorySegment into) {
        Wire wire = wire(peer);
        return begin(wire, wire.receive(peer, tag, into));
    }

    @Override
    public Pending receiveUpTo(int peer, long tag, MemorySegment into) {
        Wire wire = wire(peer);
        return begin(wire, wire.receiveUpTo(peer, tag, into));
    }

    private Pending begin(Wire wire, Pending inner) {
        PairPending used = free.poll();
        PairPending pending = used == null ? new PairPending(wire, inner) : used;
        pending.begin(wire, inner, true);
        begun.get(wires.indexOf(wire)).add(pending);
        return pending;
    }

    @Override
    public boolean progress() {
        checkAborted();
        boolean moved = false;
        for (int i = 0; i < wires.size(); i++) {
            moved |= wires.get(i).progress();
        }
        return moved;
    }

    private void checkAborted() {
        String reason = aborted.get();
        if (reason != null) {
            throw new TransportException(reason);
        }
    }

    @Override
    public void await(Pending awaited, long limitNanos) {
        PairPending pending = own(awaited);
        if (!pending.done() && busyBeside(pending.wire())) {
            takeTurns(pending, limitNanos);
        } else {
            pending.wire().await(pending.inner(), limitNanos);
        }
        end(pending);
    }

    private void takeTurns(PairPending pending, long limitNanos) {
        long start = System.nanoTime();
        while (!pending.wire().linger(pending.inner(), TURN_NANOS)) {
            boolean others = busyBeside(pending.wire());
            long left = limitNanos - (System.nanoTime() - start);
            if (!others || left <= 0) {
                pending.wire().await(pending.inner(), Math.max(0, left));
                return;
            }
            progress();
        }
    }

    @Override
    public boolean linger(Pending awaited, long nanos) {
        PairPending pending = own(awaited);
        long start = System.nanoTime();
        while (!pending.wire().linger(pending.inner(), Math.min(nanos, TURN_NANOS))) {
            if (System.nanoTime() - start >= nanos) {
                return false;
            }
            progress();
        }
        end(pending);
        return true;
    }

    private PairPending own(Pending awaited) {
        if (awaited instanceof PairPending pending) {
            last.setRelease(pending.wire());
            return pending;
        }
        throw new IllegalArgumentException("a wire can only wait for what it has begun itself, not for " + awaited);
    }

    private void end(PairPending pending) {
        if (pending.frame()) {
            begun.get(wires.indexOf(pending.wire())).remove(pending);
            free.add(pending);
        }
    }

    /** Whether anything is under way on another wire. */
    private boolean busyBeside(Wire wire) {
        boolean busy = false;
        int own = wires.indexOf(wire);
        for (int i = 0; i < wires.size(); i++) {
            List<PairPending> there = begun.get(i);
            for (int k = i == own ? -1 : there.size() - 1; k >= 0; k--) {
                if (there.get(k).done()) {
                    there.remove(k);
                } else {
                    busy = true;
                }
            }
        }
        return busy;
    }

    @Override
    public int island(int anyRank) {
        return islands[anyRank];
    }

    @Override
    public Optional<Window> window(int id, List<Integer> ranks) {
        Window known = windows.get(id);
        if (known == null) {
            for (Wire wire : wires) {
                Optional<Window> opened = wire.window(id, ranks);
                if (opened.isPresent()) {
                    known = new PairWindow(wire, opened.get(), ranks.size());
                    windows.put(id, known);
                    break;
                }
            }
        }
        return Optional.ofNullable(known);
    }

    @Override
    public void abort(String reason) {
        aborted.compareAndSet(null, reason);
        wires.forEach(wire -> wire.abort(reason));
    }

    @Override
    public long sentBytes(int peer) {
        return wire(peer).sentBytes(peer);
    }

    @Override
    public long receivedBytes(int peer) {
        return wire(peer).receivedBytes(peer);
    }

    @Override
    public long waitedNanos() {
        long waited = 0;
        for (int i = 0; i < wires.size(); i++) {
            waited += wires.get(i).waitedNanos();
        }
        return waited;
    }

    @Override
    public String standing() {
        Wire used = last.getAcquire();
        return used == null ? "" : used.standing();
    }

    @Override
    public String path(int peer) {
        return wire(peer).path(peer);
    }

    @Override
    public void close() {
        aborted.compareAndSet(null, "the wire of rank " + rank + " is closed");
        wires.forEach(Wire::close);
    }
}
