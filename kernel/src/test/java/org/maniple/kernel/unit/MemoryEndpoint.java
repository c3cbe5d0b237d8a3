package org.maniple.kernel.unit;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.maniple.api.transport.ControlLink;
import org.maniple.api.transport.Endpoint;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;

/** Control links within a process, for tests. Each endpoint delivers on a thread of its own, as a transport does. */
final class MemoryEndpoint implements Endpoint {

    /** All endpoints that can reach each other, by address. */
    static final class Net {
        private final Map<String, CompletableFuture<MemoryEndpoint>> endpoints = new ConcurrentHashMap<>();

        private CompletableFuture<MemoryEndpoint> at(String address) {
            return endpoints.computeIfAbsent(address, key -> new CompletableFuture<>());
        }
    }

    private final Net net;
    private final String address;
    private final int rank;
    private final ExecutorService delivery;
    private volatile Acceptor acceptor = link -> {};
    private volatile MemoryLink dialled;
    private volatile String refusal;

    MemoryEndpoint(Net net, String address, int rank) {
        this.net = net;
        this.address = address;
        this.rank = rank;
        ThreadFactory threads = Thread.ofPlatform().daemon(true).name("memory-endpoint-" + rank).factory();
        this.delivery = Executors.newSingleThreadExecutor(threads);
    }

    @Override
    public String address() {
        return address;
    }

    @Override
    public void accept(Acceptor acceptor) {
        this.acceptor = acceptor;
        net.at(address).complete(this);
    }

    /** From now on, dialling fails at once. */
    void refuse(String reason) {
        refusal = reason;
    }

    @Override
    public MemoryLink dial(String target, int peer, Duration limit) {
        if (refusal != null) {
            throw new TransportException(refusal);
        }
        try {
            MemoryEndpoint other = net.at(target).get(limit.toNanos(), TimeUnit.NANOSECONDS);
            MemoryLink near = new MemoryLink(peer, target, delivery);
            MemoryLink far = new MemoryLink(rank, address, other.delivery);
            near.other = far;
            far.other = near;
            dialled = near;
            other.delivery.execute(() -> other.acceptor.accept(far));
            return near;
        } catch (TimeoutException e) {
            throw new TransportException("rank " + peer + " at " + target + ": nobody listens", e);
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    int rank() {
        return rank;
    }

    /** The link that this end opened last. */
    MemoryLink dialled() {
        return dialled;
    }

    @Override
    public Wire connect(List<String> addresses, Set<Integer> peers, Duration limit) {
        throw new UnsupportedOperationException("these tests need no data links");
    }

    @Override
    public void close() {
        delivery.shutdown();
    }

    /** One end of a link. */
    static final class MemoryLink implements ControlLink {
        private final int peer;
        private final String peerAddress;
        private final ExecutorService delivery;
        private final Queue<Runnable> early = new ArrayDeque<>();
        private MemoryLink other;
        private Listener listener;
        private boolean closed;

        private MemoryLink(int peer, String peerAddress, ExecutorService delivery) {
            this.peer = peer;
            this.peerAddress = peerAddress;
            this.delivery = delivery;
        }

        @Override
        public int peer() {
            return peer;
        }

        @Override
        public String peerAddress() {
            return peerAddress;
        }

        @Override
        public synchronized void start(Listener listener) {
            this.listener = listener;
            early.forEach(delivery::execute);
            early.clear();
        }

        @Override
        public void send(byte[] message) {
            other.deliver(() -> other.listener.message(message));
        }

        @Override
        public void close() {
            breakOff("closed");
        }

        /** As if the process at this end had been killed. */
        void breakOff(String reason) {
            synchronized (this) {
                if (closed) {
                    return;
                }
                closed = true;
            }
            other.closeFrom(reason);
            deliver(() -> listener.closed(reason));
        }

        private void closeFrom(String reason) {
            synchronized (this) {
                if (closed) {
                    return;
                }
            }
            deliver(() -> listener.closed(reason));
            synchronized (this) {
                closed = true;
            }
        }

        private synchronized void deliver(Runnable event) {
            if (closed && listener == null) {
                return;
            }
            if (listener == null) {
                early.add(event);
            } else if (!delivery.isShutdown()) {
                delivery.execute(event);
            }
        }
    }
}
