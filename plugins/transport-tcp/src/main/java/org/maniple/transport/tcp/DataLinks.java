package org.maniple.transport.tcp;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;

/** Brings data links together: higher ranks dial lower ones, and what they dial waits here until it is asked for. */
@SuppressWarnings("FutureReturnValueIgnored") // nobody waits for a connection to close; a write that fails closes it
final class DataLinks {

    private final Sockets sockets;
    private final Transport.Identity identity;
    private final Dialler dialler;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    /** Dialled by peers. */
    private final Map<Integer, Greeted> incoming = new HashMap<>();
    /** Why peers were refused lately; for the message if they stay missing. */
    private final Map<Integer, String> refused = new HashMap<>();

    DataLinks(Sockets sockets, Transport.Identity identity, Dialler dialler) {
        this.sockets = sockets;
        this.identity = identity;
        this.dialler = dialler;
    }

    /** A peer has dialled. A newer connection takes the place of an older one, which the peer has given up. */
    void arrived(int rank, Greeted connection) {
        lock.lock();
        try {
            Greeted older = incoming.put(rank, connection);
            if (older != null) {
                older.channel().close();
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void refused(int rank, String reason) {
        if (rank >= 0 && rank < identity.ranks()) {
            lock.lock();
            try {
                refused.put(rank, reason);
            } finally {
                lock.unlock();
            }
        }
    }

    /**
     * Has a link with each of the peers, or fails naming all that are missing.
     *
     * @param looks whether the thread that waits for frames looks for them
     */
    Map<Integer, TcpWire.Connection> connect(List<String> addresses, Set<Integer> peers, boolean looks, Duration limit) {
        var attempt = new Attempt(addresses, peers, limit);
        for (int peer : peers) {
            if (peer < identity.rank()) {
                Thread.ofVirtual().name("dial-" + peer).start(() -> attempt.dial(peer));
            }
        }
        return attempt.connect(looks);
    }

    private static TcpWire.Connection connection(String address, DataSocket socket, Greeted greeted) {
        return switch (greeted.protection()) {
            case Protection.Encrypted encrypted -> new TcpWire.Connection(address,
                    new EncryptedSocket(socket, encrypted.engine(), greeted.rest()), encrypted, new byte[0]);
            case Protection other -> new TcpWire.Connection(address, socket, other, greeted.rest());
        };
    }

    void close() {
        lock.lock();
        try {
            incoming.values().forEach(connection -> connection.channel().close());
            incoming.clear();
        } finally {
            lock.unlock();
        }
    }

    /** One call of connect(). Guarded by the lock. */
    private final class Attempt {
        private final List<String> addresses;
        private final Duration limit;
        private final Set<Integer> missing;
        private final Map<Integer, Greeted> found = new HashMap<>();
        private final Map<Integer, String> reasons = new HashMap<>();
        private @Nullable TransportException refusal;
        private boolean over;

        Attempt(List<String> addresses, Set<Integer> peers, Duration limit) {
            this.addresses = addresses;
            this.limit = limit;
            this.missing = new TreeSet<>(peers);
        }

        void dial(int peer) {
            Greeted connection = null;
            TransportException failure = null;
            try {
                connection = dialler.dial(addresses.get(peer), peer, Preface.DATA, limit);
            } catch (TransportException e) {
                failure = e;
            }
            lock.lock();
            try {
                if (connection != null && over) {
                    connection.channel().close();
                } else if (connection != null) {
                    found.put(peer, connection);
                    missing.remove(peer);
                } else if (failure instanceof RefusedLinkException) {
                    refusal = failure;
                } else if (failure != null) {
                    reasons.put(peer, String.valueOf(failure.getMessage()));
                }
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        Map<Integer, TcpWire.Connection> connect(boolean looks) {
            await();
            var connections = new HashMap<Integer, TcpWire.Connection>();
            found.forEach((peer, connection) -> connections.put(peer,
                    connection(addresses.get(peer), sockets.take(connection.channel(), looks), connection)));
            return connections;
        }

        private void await() {
            lock.lock();
            try {
                long left = limit.toNanos();
                collect();
                while (!missing.isEmpty() && refusal == null && left > 0) {
                    left = changed.awaitNanos(left);
                    collect();
                }
                if (!missing.isEmpty()) {
                    found.values().forEach(connection -> connection.channel().close());
                    throw failure();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new TransportException("rank " + identity.rank() + " was interrupted while it waited for " + missing, e);
            } finally {
                over = true;
                lock.unlock();
            }
        }

        private void collect() {
            for (int peer : List.copyOf(missing)) {
                Greeted connection = peer > identity.rank() ? incoming.remove(peer) : null;
                if (connection != null) {
                    found.put(peer, connection);
                    missing.remove(peer);
                }
            }
        }

        private TransportException failure() {
            if (refusal != null) {
                return refusal;
            }
            var parts = missing.stream().map(peer -> Addresses.describe(peer, addresses.get(peer)) + why(peer)).toList();
            return new TransportException("rank " + identity.rank() + " is not connected after " + limit.toMillis() + " ms with "
                    + String.join(", ", parts));
        }

        private String why(int peer) {
            String reason = reasons.getOrDefault(peer, refused.get(peer));
            return reason == null ? peer > identity.rank() ? ": it has not dialled" : "" : ": " + reason;
        }
    }
}
