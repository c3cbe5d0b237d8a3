package org.maniple.transport.shm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.HostProcess;
import org.maniple.api.transport.ProcessWatch;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.WaitStrategy;
import org.maniple.api.transport.Window;
import org.maniple.api.transport.Wire;

/** The data links of a rank with others on this host. */
final class ShmWire implements Wire {

    private static final int ALIGNMENT = 64;
    /** How often a rank with a processor of its own looks before it asks for the time: most answers come within a microsecond or two. */
    private static final int GLANCES = 200;
    /** Nobody sleeps longer without looking, should it ever not be woken. */
    private static final long LONGEST_SLEEP_NANOS = 100_000_000;
    private static final int MAX_WINDOW = 0xffff;

    private final int rank;
    private final Segment own;
    /** By rank: the lowest rank on the same host, or the rank itself if it has no memory to show. */
    private final int[] islands;
    private final WaitStrategy waiting;
    private final Map<Integer, ShmLink> connected = new TreeMap<>();
    private final @Nullable ShmLink[] links;
    private final Map<Integer, ShmWindow> windows = new HashMap<>();
    /** Valid while somebody can reach it: whoever still holds a segment after the wire is closed must not crash the process. */
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment time = Linux.time(arena);
    private final Queue<Frame> free = new ArrayDeque<>();
    private final AtomicReference<@Nullable String> aborted = new AtomicReference<>();
    /** What has not come yet, and what was asked for last: another thread must not look itself whether it has come. */
    private final AtomicReference<@Nullable ShmPending> awaited = new AtomicReference<>();
    private final AtomicReference<@Nullable ShmPending> last = new AtomicReference<>();
    private final ProcessWatch<ShmLink> watch;
    private boolean closed;
    private long waitedNanos;

    ShmWire(int rank, Locator here, Segment own, Map<Integer, Segment> peers, Map<Integer, Locator> locators, int[] islands,
            WaitStrategy waiting) {
        this.rank = rank;
        this.own = own;
        this.islands = islands;
        this.waiting = waiting;
        this.links = new ShmLink[islands.length];
        locators.forEach((peer, locator) -> {
            Segment theirs = peers.get(peer);
            if (theirs != null) {
                var link = new ShmLink(rank, peer, locator, own, theirs);
                connected.put(peer, link);
                links[peer] = link;
            }
        });
        own.practise(time);
        this.watch = watch(here);
    }

    /** Shared memory does not tell when a process is gone: unlike a socket, it stays as it is. */
    private ProcessWatch<ShmLink> watch(Locator here) {
        var others = new HashMap<ShmLink, HostProcess>();
        connected.values().stream().filter(link -> here.hostProcess().seesOther(link.locator().hostProcess()))
                .forEach(link -> others.put(link, link.locator().hostProcess()));
        return ProcessWatch.start("shm-watch-" + rank, others, ProcessWatch.STOPPED, this::lose, this::lose);
    }

    private void lose(ShmLink link, String how) {
        link.lose(how);
        own.ring();
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
        ShmLink link = usable(peer, data);
        Frame frame = frame(link);
        frame.begin(link, true, true, tag, data);
        String failure = link.failure();
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

    private Pending expect(ShmLink link, boolean exact, long tag, MemorySegment into) {
        Frame frame = frame(link);
        frame.begin(link, false, exact, tag, into);
        link.expect(frame);
        return frame;
    }

    private Frame frame(ShmLink link) {
        Frame used = free.poll();
        return used == null ? new Frame(link) : used;
    }

    private ShmLink usable(int peer, MemorySegment memory) {
        checkAborted();
        if (!memory.isNative()) {
            throw new IllegalArgumentException("frames are sent from and received into native memory, not " + memory);
        }
        return link(peer);
    }

    private ShmLink link(int peer) {
        ShmLink link = peer >= 0 && peer < links.length ? links[peer] : null;
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
    public int island(int anyRank) {
        return islands[anyRank];
    }

    @Override
    public Optional<Window> window(int id, List<Integer> ranks) {
        checkAborted();
        ShmWindow known = windows.get(id);
        if (known != null) {
            if (!known.ranks().equals(ranks)) {
                throw new IllegalArgumentException(
                        "window " + id + " is one of " + known.ranks() + ", it cannot be one of " + ranks);
            }
            return Optional.of(known);
        }
        if (id < 1 || id > MAX_WINDOW || !ranks.contains(rank)) {
            throw new IllegalArgumentException("rank " + rank + " cannot open window " + id + " of " + ranks);
        }
        if (!ranks.stream().allMatch(other -> other == rank || links[other] != null)) {
            return Optional.empty();
        }
        if (windows.size() == Layout.WINDOWS) {
            throw new TransportException(
                    "rank " + rank + " has " + Layout.WINDOWS + " windows already, one for each group of ranks");
        }
        var opened = new ShmWindow(id, rank, ranks, place(id),
                ranks.stream().map(other -> other == rank ? null : links[other]).toArray(ShmLink[]::new));
        windows.put(id, opened);
        return Optional.of(opened);
    }

    private MemorySegment place(int id) {
        Layout layout = own.layout();
        long at = layout.windows() + windows.size() * Layout.WINDOW;
        long entry = layout.entry(windows.size());
        own.memory().set(ValueLayout.JAVA_LONG, entry + Long.BYTES, at);
        Segment.LONG.setRelease(own.memory(), entry, (long) id);
        return own.memory().asSlice(at, Layout.WINDOW);
    }

    @Override
    public boolean progress() {
        checkAborted();
        boolean moved = false;
        for (ShmLink link : links) {
            if (link != null) {
                moved |= link.progress();
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
        if (!(begun instanceof ShmPending pending)) {
            throw new IllegalArgumentException("a wire can only wait for what it has begun itself, not for " + begun);
        }
        last.setRelease(pending);
        if (!pending.done()) {
            awaited.setRelease(pending);
            if (!drive(pending, limitNanos, fails)) {
                return false;
            }
            awaited.setRelease(null);
        }
        if (pending instanceof Frame frame) {
            free.add(frame);
        }
        return true;
    }

    private boolean drive(ShmPending pending, long limitNanos, boolean fails) {
        long start = System.nanoTime();
        waiting.begin(start, pending.expectedBytes());
        if (glance(pending)) {
            return true;
        }
        ShmLink link = pending.link();
        long idleSince = start;
        boolean idle = false;
        while (true) {
            // Asked before the frames: what came before the end still counts.
            String lost = link.lost();
            boolean moved = progress();
            boolean done = pending.done();
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
            check(pending, lost);
            if (moved) {
                continue;
            }
            if (now - start >= limitNanos) {
                if (!fails) {
                    return false;
                }
                link.fail(link + " " + pending.missing()
                        + (limitNanos > 0 ? " within " + limitNanos / 1_000_000 + " ms" : " in time"));
            } else if (waiting.sleepNow(now, idleSince)) {
                sleep(pending, limitNanos - (now - start));
                waiting.awake(System.nanoTime());
            }
        }
    }

    /** A short look at the one link, if there is a processor for it. */
    private boolean glance(ShmPending pending) {
        checkAborted();
        for (int i = waiting.looks() ? GLANCES : 0; i > 0; i--) {
            pending.link().progress();
            if (pending.done()) {
                return true;
            }
            Thread.onSpinWait();
        }
        return false;
    }

    private static void check(ShmPending pending, @Nullable String lost) {
        ShmLink link = pending.link();
        if (link.failure() == null && lost != null) {
            link.fail(link + " " + lost + "; it " + pending.missing());
        }
        String failure = link.failure();
        if (failure != null) {
            throw new TransportException(failure);
        }
    }

    private void sleep(ShmPending pending, long nanos) {
        int bell = own.lieDown();
        try {
            if (!progress() && !pending.done() && pending.link().lost() == null && pending.link().failure() == null) {
                own.sleep(bell, Math.min(nanos, LONGEST_SLEEP_NANOS), time);
            }
        } finally {
            own.getUp();
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new TransportException("rank " + rank + " was interrupted while it waited for others");
        }
    }

    @Override
    public void abort(String reason) {
        aborted.compareAndSet(null, reason);
        VarHandle.fullFence();
        own.ring();
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
        ShmPending missing = awaited.getAcquire();
        ShmPending asked = last.getAcquire();
        return missing != null
                ? missing.link() + " " + missing.missing()
                : asked == null ? "" : "rank " + rank + " has come to " + asked.what();
    }

    @Override
    public String path(int peer) {
        link(peer);
        return "shm";
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            aborted.compareAndSet(null, "the wire of rank " + rank + " is closed");
            watch.close();
            own.close();
            VarHandle.fullFence();
            connected.values().forEach(link -> {
                link.fail("the wire of rank " + rank + " is closed");
                link.theirs().ring();
            });
        }
    }
}
