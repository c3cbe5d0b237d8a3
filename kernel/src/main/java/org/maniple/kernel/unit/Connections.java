package org.maniple.kernel.unit;

import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Condition;

/** The open control links of rank 0, to ranks of the unit and to others. Guarded by the lock of the leader. */
final class Connections {

    /** How long other ranks get to read a last message and hang up. */
    private static final Duration FAREWELL = Duration.ofSeconds(1);

    private final Set<Peer> open = new HashSet<>();
    private final Ticker ticker;
    private final Duration lease;
    private long lastWatch;

    /** @param lease silence after which a rank counts as lost */
    Connections(Ticker ticker, Duration lease) {
        this.ticker = ticker;
        this.lease = lease;
    }

    void add(Peer peer) {
        open.add(peer);
    }

    void remove(Peer peer) {
        open.remove(peer);
    }

    /** From now on silence counts. */
    void beginWatch() {
        lastWatch = ticker.nanos();
        open.forEach(peer -> peer.heard(lastWatch));
    }

    /** Those of which no sign of life came for the length of the lease. */
    List<Peer> silent() {
        long now = ticker.nanos();
        long sinceLast = now - lastWatch;
        lastWatch = now;
        if (sinceLast > lease.toNanos() / 2) {
            // Silence of others while this process itself stood still says nothing about them.
            open.forEach(peer -> peer.heard(now));
        }
        return open.stream().filter(peer -> now - peer.heard() > lease.toNanos()).toList();
    }

    /** Sends a message to all who have introduced themselves. */
    void tellAll(UnitMessage message) {
        tell(open, message);
    }

    static void tell(Collection<Peer> peers, UnitMessage message) {
        for (Peer peer : peers) {
            if (peer.hello() != null && !peer.gone()) {
                peer.send(message);
            }
        }
    }

    /** Waits a moment for peers to hang up, so that last messages are not lost with this process; then closes all links. */
    void farewell(Condition changed) {
        Wait wait = new Wait(ticker, FAREWELL, FAREWELL);
        while (!open.isEmpty() && !wait.over()) {
            wait.await(changed);
        }
        List.copyOf(open).forEach(peer -> peer.link().close());
    }
}
