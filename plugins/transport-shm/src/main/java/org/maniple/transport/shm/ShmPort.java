package org.maniple.transport.shm;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import org.maniple.api.Availability;
import org.maniple.api.PluginContext;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.WaitStrategy;
import org.maniple.api.transport.Wire;

/**
 * A rank's memory, open for peers until all of them have it. It has no name in any file system, so nothing is left of it when the processes are
 * gone, however they end.
 */
final class ShmPort implements Port {

    /** Nothing is faster than memory that both ends see. */
    private static final int SCORE = 100;
    private static final long POLL_NANOS = 500_000;
    /** What a unit with one kind of parallelism opens: one of all ranks, one of those that sum. */
    private static final int USUAL_WINDOWS = 2;
    private static final long MIB = 1 << 20;
    private static final int NONE = -1;

    private final Linux linux;
    private final Transport.Identity identity;
    private final PluginContext context;
    private final Proof proof;
    private final Layout layout;
    private final Locator here;
    private final Segment own;
    private final byte[] nonce;
    private boolean open = true;
    private boolean used;

    private ShmPort(Linux linux, Transport.Identity identity, PluginContext context, Proof proof, Layout layout, Locator here,
            Segment own, byte[] nonce) {
        this.linux = linux;
        this.identity = identity;
        this.context = context;
        this.proof = proof;
        this.layout = layout;
        this.here = here;
        this.own = own;
        this.nonce = nonce;
    }

    static ShmPort open(Linux linux, Transport.Identity identity, PluginContext context) {
        var proof = new Proof(identity);
        var layout = new Layout(identity.ranks());
        byte[] nonce = Proof.nonce();
        int descriptor = NONE;
        try {
            descriptor = linux.anonymousFile("maniple-" + identity.unit() + "-" + identity.rank());
            Locator here = Locator.here(descriptor);
            Segment own = Segment.create(linux, layout, here.path(), nonce, proof.ofOwner(identity.rank(), nonce));
            return new ShmPort(linux, identity, context, proof, layout, here, own, nonce);
        } catch (IOException e) {
            if (descriptor != NONE) {
                linux.close(descriptor);
            }
            throw new TransportException("rank " + identity.rank() + " cannot have shared memory: " + e, e);
        }
    }

    @Override
    public String address() {
        return here.toString();
    }

    @Override
    public Availability reach(String address) {
        return here.distance(Locator.parse(address)).map(Availability::unavailable).orElse(Availability.available(SCORE));
    }

    @Override
    public Wire connect(List<String> addresses, Set<Integer> peers, Duration limit) {
        Map<Integer, Locator> locators = locators(addresses, peers);
        synchronized (this) {
            if (!open) {
                throw new TransportException("the port of rank " + identity.rank() + " is closed");
            }
            if (used) {
                throw new IllegalStateException("the shared memory of rank " + identity.rank() + " is connected already");
            }
            used = true;
        }
        try {
            Map<Integer, Segment> segments = attach(addresses, locators, limit.toNanos());
            int[] islands = Locator.islands(addresses);
            int ranksHere = (int) Arrays.stream(islands).filter(island -> island == islands[identity.rank()]).count();
            WaitStrategy waiting = WaitStrategy.of(ranksHere, context);
            announce(ranksHere, waiting);
            return new ShmWire(identity.rank(), here, own, segments, locators, islands, waiting);
        } catch (TransportException e) {
            own.close();
            throw e;
        } finally {
            // Peers have it mapped; nobody else can open it from now on.
            close();
        }
    }

    private void announce(int ranksHere, WaitStrategy waiting) {
        if (ranksHere > 1) {
            context.announce("shm: " + ranksHere + " ranks on this host share up to "
                    + Math.ceilDiv(Layout.touched(ranksHere, USUAL_WINDOWS), MIB)
                    + " MiB of memory without a file (memfd): it counts as theirs, whatever the size of /dev/shm");
            context.announce(waiting.toString());
        }
    }

    private Map<Integer, Locator> locators(List<String> addresses, Set<Integer> peers) {
        if (addresses.size() != identity.ranks()) {
            throw new IllegalArgumentException(
                    "connect() needs the addresses of all " + identity.ranks() + " ranks, not " + addresses.size());
        }
        var locators = new TreeMap<Integer, Locator>();
        for (int peer : new TreeSet<>(peers)) {
            if (peer < 0 || peer >= identity.ranks() || peer == identity.rank()) {
                throw new IllegalArgumentException(
                        "rank " + identity.rank() + " of " + identity.ranks() + " cannot be connected with rank "
                                + peer);
            }
            Locator locator = Locator.parse(addresses.get(peer));
            here.distance(locator).ifPresent(why -> {
                throw new TransportException("rank " + identity.rank() + " and rank " + peer + " cannot share memory: " + why);
            });
            locators.put(peer, locator);
        }
        return locators;
    }

    /** Maps the memory of all peers and waits until they have mapped this rank's. */
    private Map<Integer, Segment> attach(List<String> addresses, Map<Integer, Locator> locators, long limitNanos) {
        var segments = new HashMap<Integer, Segment>();
        var missing = new TreeSet<>(locators.keySet());
        var reasons = new HashMap<Integer, String>();
        long start = System.nanoTime();
        while (true) {
            for (int peer : List.copyOf(missing)) {
                Locator locator = Objects.requireNonNull(locators.get(peer));
                if (!segments.containsKey(peer)) {
                    open(peer, locator, segments, reasons);
                }
                Segment theirs = segments.get(peer);
                if (theirs != null && hasAttached(peer, theirs)) {
                    missing.remove(peer);
                } else if (theirs != null && theirs.closed()) {
                    reasons.put(peer, ": it has given up");
                }
            }
            if (missing.isEmpty()) {
                return segments;
            }
            if (System.nanoTime() - start >= limitNanos) {
                throw new TransportException("rank " + identity.rank() + " is not connected after " + limitNanos / 1_000_000
                        + " ms with " + String.join(", ", missing.stream()
                                .map(peer -> "rank " + peer + " (" + addresses.get(peer) + ")" + reasons.getOrDefault(peer,
                                        ": it has not opened this rank's memory"))
                                .toList()));
            }
            pause();
        }
    }

    private void open(int peer, Locator locator, Map<Integer, Segment> segments, Map<Integer, String> reasons) {
        Path file = locator.path();
        try {
            Segment theirs = Segment.open(linux, layout, file);
            byte[] theirNonce = theirs.nonce();
            if (!Proof.equal(theirs.proof(), proof.ofOwner(peer, theirNonce))) {
                throw new TransportException("the memory of rank " + peer + " (process " + locator.process()
                        + ") comes from somebody who does not know the unit secret (or ours differs), or belongs to another unit, epoch or rank;"
                        + " give all ranks the same secret");
            }
            theirs.attach(identity.rank(), nonce, proof.ofGuest(peer, identity.rank(), theirNonce, nonce));
            segments.put(peer, theirs);
        } catch (IOException e) {
            reasons.put(peer, ": its memory cannot be opened: " + e + "; where that is forbidden, name transport tcp");
        }
    }

    private boolean hasAttached(int peer, Segment theirs) {
        if (!own.attached(peer)) {
            return false;
        }
        byte[] guest = own.guestNonce(peer);
        if (!Proof.equal(own.guestProof(peer), proof.ofGuest(identity.rank(), peer, nonce, guest))
                || !Arrays.equals(guest, theirs.nonce())) {
            throw new TransportException("somebody who does not know the unit secret, or is not rank " + peer
                    + ", has opened the memory of rank " + identity.rank() + " in the name of rank " + peer);
        }
        return true;
    }

    private void pause() {
        LockSupport.parkNanos(this, POLL_NANOS);
        if (Thread.currentThread().isInterrupted()) {
            throw new TransportException("rank " + identity.rank() + " was interrupted while it connected");
        }
    }

    @Override
    public synchronized void close() {
        if (open) {
            open = false;
            linux.close(here.descriptor());
        }
    }
}
