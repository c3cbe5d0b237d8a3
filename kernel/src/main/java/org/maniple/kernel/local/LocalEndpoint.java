package org.maniple.kernel.local;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.maniple.api.transport.ControlLink;
import org.maniple.api.transport.Endpoint;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;

/** A rank's end within this process. Listeners are called on its one thread. */
final class LocalEndpoint implements Endpoint {

    private final LocalHub hub;
    private final Transport.Identity identity;
    private final String address;
    private final int processors;
    private final ExecutorService thread;
    private final List<LocalWire> wires = new ArrayList<>();
    private final List<LocalControlLink> links = new ArrayList<>();
    private final Queue<LocalControlLink> waiting = new ArrayDeque<>();
    private @Nullable Acceptor acceptor;
    private boolean closed;

    LocalEndpoint(LocalHub hub, Transport.Identity identity, String address, int processors) {
        this.hub = hub;
        this.identity = identity;
        this.address = address;
        this.processors = processors;
        this.thread = Executors
                .newSingleThreadExecutor(Thread.ofPlatform().name("local-control-" + identity.rank()).daemon().factory());
    }

    Transport.Identity identity() {
        return identity;
    }

    @Override
    public String address() {
        return address;
    }

    @Override
    public synchronized void accept(Acceptor newAcceptor) {
        acceptor = newAcceptor;
        for (LocalControlLink link = waiting.poll(); link != null; link = waiting.poll()) {
            LocalControlLink accepted = link;
            run(() -> newAcceptor.accept(accepted));
        }
    }

    @Override
    public ControlLink dial(String peerAddress, int peer, Duration limit) {
        LocalEndpoint other = hub.find(this, peerAddress, peer, limit);
        var here = new LocalControlLink(this, peer, peerAddress);
        var there = new LocalControlLink(other, identity.rank(), address);
        LocalControlLink.join(here, there);
        add(here);
        other.take(there);
        return here;
    }

    private synchronized void take(LocalControlLink link) {
        add(link);
        Acceptor taker = acceptor;
        if (taker == null) {
            waiting.add(link);
        } else {
            run(() -> taker.accept(link));
        }
    }

    private synchronized void add(LocalControlLink link) {
        if (closed) {
            throw new TransportException(LocalTransport.describe(identity.rank(), address) + " is closed");
        }
        links.removeIf(LocalControlLink::isClosed);
        links.add(link);
    }

    /** Calls a listener. Ignored once the endpoint is closed and its thread has gone. */
    void run(Runnable call) {
        try {
            thread.execute(call);
        } catch (RejectedExecutionException e) {
            // Nobody is left to be told.
        }
    }

    @Override
    public Wire connect(List<String> addresses, Set<Integer> peers, Duration limit) {
        var wire = new LocalWire(this, addresses, peers, processors);
        hub.connect(wire, limit);
        return wire;
    }

    /** Called under the hub's lock. */
    void offer(LocalWire wire) {
        wires.add(wire);
    }

    /** Called under the hub's lock. */
    void withdraw(LocalWire wire) {
        wires.remove(wire);
    }

    /** A wire that still waits for a rank. Called under the hub's lock. */
    Optional<LocalWire> offered(int rank) {
        return wires.stream().filter(wire -> wire.missing().contains(rank)).findFirst();
    }

    @Override
    public void close() {
        List<LocalControlLink> open;
        synchronized (this) {
            closed = true;
            open = List.copyOf(links);
        }
        hub.close(this);
        open.forEach(LocalControlLink::close);
        thread.shutdown();
    }
}
