package org.maniple.kernel.local;

import java.security.MessageDigest;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;

/** The endpoints that can reach each other. */
final class LocalHub {

    private static final int FIRST_FREE_PORT = 1;

    private final Map<String, LocalEndpoint> endpoints = new HashMap<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    LocalEndpoint open(Transport.Identity identity, Transport.Bind bind, int processors) {
        lock.lock();
        try {
            String address = address(bind);
            if (endpoints.containsKey(address)) {
                throw new TransportException("rank " + identity.rank() + " cannot listen on " + address + ": "
                        + LocalTransport.describe(endpoints.get(address).identity().rank(), address)
                        + " of this process does; choose another port, or 0 for any free one");
            }
            var endpoint = new LocalEndpoint(this, identity, address, processors);
            endpoints.put(address, endpoint);
            changed.signalAll();
            return endpoint;
        } finally {
            lock.unlock();
        }
    }

    private String address(Transport.Bind bind) {
        int port = bind.port();
        if (port == 0) {
            port = FIRST_FREE_PORT;
            while (endpoints.containsKey(bind.host() + ":" + port)) {
                port++;
            }
        }
        return bind.host() + ":" + port;
    }

    void close(LocalEndpoint endpoint) {
        lock.lock();
        try {
            endpoints.remove(endpoint.address(), endpoint);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The endpoint at an address, once there is one that may be spoken with. */
    LocalEndpoint find(LocalEndpoint from, String address, int rank, Duration limit) {
        lock.lock();
        try {
            Optional<LocalEndpoint> found = await(() -> Optional.ofNullable(endpoints.get(address)), limit);
            LocalEndpoint peer = found.orElseThrow(() -> new TransportException(LocalTransport.describe(rank, address)
                    + " did not answer within " + limit.toMillis() + " ms: nothing listens there in this process"));
            check(from.identity(), peer, address, rank);
            return peer;
        } finally {
            lock.unlock();
        }
    }

    /** Connects a wire with all its peers; the later one of two makes the link. */
    void connect(LocalWire wire, Duration limit) {
        lock.lock();
        try {
            wire.peers().forEach(rank -> {
                LocalEndpoint there = endpoints.get(wire.addressOf(rank));
                if (there != null) {
                    check(wire.identity(), there, wire.addressOf(rank), rank);
                }
            });
            link(wire);
            changed.signalAll();
            wire.endpoint().offer(wire);
            Optional<Boolean> complete;
            try {
                complete = await(() -> wire.complete() ? Optional.of(true) : Optional.empty(), limit);
            } finally {
                wire.endpoint().withdraw(wire);
            }
            if (complete.isEmpty()) {
                wire.close();
                throw new TransportException("rank " + wire.rank() + " is not connected after " + limit.toMillis() + " ms with "
                        + LocalTransport.describe(new TreeSet<>(wire.missing()), wire.addresses()));
            }
        } finally {
            lock.unlock();
        }
    }

    private void link(LocalWire wire) {
        for (int rank : wire.missing()) {
            LocalEndpoint there = endpoints.get(wire.addressOf(rank));
            if (there != null) {
                there.offered(wire.rank()).ifPresent(other -> {
                    check(wire.identity(), there, wire.addressOf(rank), rank);
                    LocalLink.join(wire, other);
                });
            }
        }
    }

    private <T> Optional<T> await(Supplier<Optional<T>> condition, Duration limit) {
        long left = limit.toNanos();
        Optional<T> result = condition.get();
        try {
            while (result.isEmpty() && left > 0) {
                left = changed.awaitNanos(left);
                result = condition.get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TransportException("interrupted after " + TimeUnit.NANOSECONDS.toMillis(limit.toNanos() - left) + " ms", e);
        }
        return result;
    }

    private static void check(Transport.Identity own, LocalEndpoint there, String address, int rank) {
        Transport.Identity other = there.identity();
        String problem = null;
        if (!MessageDigest.isEqual(own.secret(), other.secret())) {
            problem = "does not know the unit secret (or ours differs); give all ranks the same one";
        } else if (!own.unit().equals(other.unit())) {
            problem = "belongs to unit [" + other.unit() + "], this rank to [" + own.unit() + "]";
        } else if (own.epoch() != other.epoch()) {
            problem = "is of another epoch: epoch " + Math.min(own.epoch(), other.epoch()) + " < "
                    + Math.max(own.epoch(), other.epoch());
        } else if (own.ranks() != other.ranks()) {
            problem = "counts " + other.ranks() + " ranks, this rank " + own.ranks();
        } else if (other.rank() != rank) {
            problem = "is rank " + other.rank();
        }
        if (problem != null) {
            throw new TransportException(LocalTransport.describe(rank, address) + " " + problem);
        }
    }
}
