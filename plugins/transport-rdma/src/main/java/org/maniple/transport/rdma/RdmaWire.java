package org.maniple.transport.rdma;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.HostProcess;
import org.maniple.api.transport.ProcessWatch;
import org.maniple.api.transport.Tag;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.WaitStrategy;
import org.maniple.api.transport.Wire;

/** The data links of a rank over UCX. The thread that uses it drives UCX' progress. */
final class RdmaWire implements Wire {

    /** How often a rank with a processor of its own looks before it asks for the time: most answers come within a few microseconds. */
    private static final int GLANCES = 256;
    private static final int LOOK_EVERY = 16;
    /** Nobody sleeps longer without looking, should it ever not be woken. */
    private static final long LONGEST_SLEEP_NANOS = 100_000_000;
    /** What peers are given to take what is under way when this rank leaves. */
    private static final long LEAVE_NANOS = 1_000_000_000;

    private final int rank;
    private final Worker worker;
    private final Memory memory;
    private final Arena arena;
    private final WaitStrategy waiting;
    private final Map<Integer, RdmaLink> connected = new TreeMap<>();
    private final @Nullable RdmaLink[] links;
    private final Queue<Frame> free = new ArrayDeque<>();
    private final AtomicReference<@Nullable String> aborted = new AtomicReference<>();
    private final AtomicReference<@Nullable Frame> awaited = new AtomicReference<>();
    private final ProcessWatch<RdmaLink> watch;
    private boolean closed;
    private long waitedNanos;

    /**
     * Takes over everything that it is given, and closes it.
     *
     * @param arena of what UCX reads and calls while the worker is open
     */
    RdmaWire(int rank, int ranks, HostProcess here, Worker worker, Memory memory, Arena arena, Iterable<RdmaLink> peers,
            WaitStrategy waiting) {
        this.rank = rank;
        this.worker = worker;
        this.memory = memory;
        this.arena = arena;
        this.waiting = waiting;
        this.links = new RdmaLink[ranks];
        for (RdmaLink link : peers) {
            connected.put(link.peer(), link);
            links[link.peer()] = link;
        }
        this.watch = watch(here);
    }

    /** UCX tells late or never that a process of this host has ended or is stopped. Those of other hosts are watched over by the unit. */
    private ProcessWatch<RdmaLink> watch(HostProcess here) {
        var others = new HashMap<RdmaLink, HostProcess>();
        connected.values().stream().filter(link -> here.seesOther(link.place())).forEach(link -> others.put(link, link.place()));
        return ProcessWatch.start("rdma-watch-" + rank, others, ProcessWatch.STOPPED, this::lose, this::lose);
    }

    private void lose(RdmaLink link, String how) {
        link.lose(how);
        worker.wakeUp();
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public MemorySegment allocate(long bytes) {
        return memory.allocate(bytes);
    }

    @Override
    public Pending send(int peer, long tag, MemorySegment data) {
        RdmaLink link = usable(peer, data);
        Frame frame = frame(link);
        frame.begin(link, true, true, tag, data);
        String failure = link.failure(frame);
        String lost = failure == null ? link.lost() : null;
        if (failure != null) {
            throw new TransportException(failure);
        }
        if (lost != null) {
            throw new TransportException(link + " " + lost + "; it " + frame.missing());
        }
        link.send(frame);
        return frame;
    }

    @Override
    public Pending receive(int peer, long tag, MemorySegment into) {
        return expect(usable(peer, into), true, tag, into);
    }

    @Override
    public Pending receiveUpTo(int peer, long tag, MemorySegment into) {
        return expect(usable(peer, into), false, tag, into);
    }

    private Pending expect(RdmaLink link, boolean exact, long tag, MemorySegment into) {
        Frame frame = frame(link);
        frame.begin(link, false, exact, tag, into);
        link.expect(frame);
        return frame;
    }

    private Frame frame(RdmaLink link) {
        Frame used = free.poll();
        return used == null ? new Frame(link) : used;
    }

    private RdmaLink usable(int peer, MemorySegment data) {
        checkAborted();
        if (!data.isNative()) {
            throw new IllegalArgumentException("frames are sent from and received into native memory, not " + data);
        }
        return link(peer);
    }

    private RdmaLink link(int peer) {
        RdmaLink link = peer >= 0 && peer < links.length ? links[peer] : null;
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
        boolean moved = worker.progress();
        for (RdmaLink link : links) {
            if (link != null) {
                moved |= link.move();
            }
        }
        return moved;
    }

    @Override
    public void await(Pending pending, long limitNanos) {
        wait(pending, limitNanos, true);
    }

    @Override
    public boolean linger(Pending pending, long nanos) {
        return wait(pending, nanos, false);
    }

    private boolean wait(Pending begun, long limitNanos, boolean fails) {
        if (!(begun instanceof Frame frame)) {
            throw new IllegalArgumentException("a wire can only wait for what it has begun itself, not for " + begun);
        }
        awaited.setRelease(frame);
        if (!frame.done() && !drive(frame, limitNanos, fails)) {
            return false;
        }
        free.add(frame);
        return true;
    }

    private boolean drive(Frame frame, long limitNanos, boolean fails) {
        long start = System.nanoTime();
        waiting.begin(start, frame.segment().byteSize());
        if (glance(frame)) {
            return true;
        }
        RdmaLink link = frame.link();
        long idleSince = start;
        boolean idle = false;
        while (true) {
            // Asked before the frames: what came before the end still counts.
            String lost = link.lost();
            boolean moved = progress();
            boolean done = frame.done();
            long now = System.nanoTime();
            waiting.look(now);
            if (moved || done) {
                waitedNanos += idle ? now - idleSince : 0;
                idleSince = now;
            }
            idle = !moved;
            if (done) {
                return true;
            }
            if (moved && link.failure() == null) {
                continue;
            }
            check(frame, lost);
            if (now - start >= limitNanos) {
                if (!fails) {
                    return false;
                }
                link.fail(link + " " + frame.missing()
                        + (limitNanos > 0 ? " within " + limitNanos / 1_000_000 + " ms" : " in time"));
                check(frame, null);
            } else if (waiting.sleepNow(now, idleSince)) {
                sleep(Math.min(limitNanos - (now - start), LONGEST_SLEEP_NANOS));
                waiting.awake(System.nanoTime());
            }
        }
    }

    /** A short look, if there is a processor for it. */
    private boolean glance(Frame frame) {
        checkAborted();
        boolean moved = false;
        for (int i = waiting.looks() ? GLANCES : 0; i > 0; i--) {
            // What UCX has not moved need not be looked at; now and then it does not tell.
            if (moved || i % LOOK_EVERY == 0) {
                frame.link().move();
                if (frame.done()) {
                    return true;
                }
            }
            moved = worker.progress();
            Thread.onSpinWait();
        }
        return false;
    }

    private static void check(Frame frame, @Nullable String lost) {
        RdmaLink link = frame.link();
        if (lost != null) {
            link.fail(link + " " + lost + "; it " + frame.missing());
        }
        String failure = link.failure(frame);
        if (failure != null) {
            throw new TransportException(failure);
        }
    }

    private void sleep(long nanos) {
        worker.sleep(nanos);
        if (Thread.currentThread().isInterrupted()) {
            throw new TransportException("rank " + rank + " was interrupted while it waited for others");
        }
    }

    @Override
    public void abort(String reason) {
        aborted.compareAndSet(null, reason);
        worker.wakeUp();
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
        Frame last = awaited.getAcquire();
        return last == null
                ? ""
                : last.done() ? "rank " + rank + " has come to " + Tag.describe(last.tag()) : last.link() + " " + last.missing();
    }

    @Override
    public String path(int peer) {
        return link(peer).path();
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        aborted.compareAndSet(null, "the wire of rank " + rank + " is closed");
        watch.close();
        leave();
        connected.values().forEach(link -> link.fail("the wire of rank " + rank + " is closed"));
        memory.close();
        worker.close();
        arena.close();
    }

    /** Lets peers have what is on its way to them, and tells them that nothing follows. */
    private void leave() {
        long start = System.nanoTime();
        while (!connected.values().stream().allMatch(link -> link.failure() != null || link.lost() != null || link.idle())
                && System.nanoTime() - start < LEAVE_NANOS) {
            drive();
        }
        connected.values().forEach(RdmaLink::sayGoodbye);
        while (!connected.values().stream().allMatch(link -> link.lost() != null || link.left())
                && System.nanoTime() - start < 2 * LEAVE_NANOS) {
            drive();
        }
    }

    private void drive() {
        worker.progress();
        connected.values().forEach(RdmaLink::move);
        Thread.onSpinWait();
    }
}
