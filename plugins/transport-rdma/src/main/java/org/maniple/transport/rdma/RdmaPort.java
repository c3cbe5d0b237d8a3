package org.maniple.transport.rdma;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.maniple.api.Availability;
import org.maniple.api.PluginContext;
import org.maniple.api.transport.HostProcess;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.WaitStrategy;
import org.maniple.api.transport.Wire;

/** A rank's worker of UCX, until it is connected. */
final class RdmaPort implements Port {

    /** Better than TCP, not as good as memory that both ends see. */
    private static final int SCORE = 50;

    private final Transport.Identity identity;
    private final PluginContext context;
    private final RdmaSettings settings;
    private final Worker worker;
    private final Locator.Reachable here;
    private final String library;
    private boolean open = true;
    private boolean used;

    private RdmaPort(Transport.Identity identity, PluginContext context, RdmaSettings settings, Worker worker,
            Locator.Reachable here,
            String library) {
        this.identity = identity;
        this.context = context;
        this.settings = settings;
        this.worker = worker;
        this.here = here;
        this.library = library;
    }

    static RdmaPort open(Transport.Identity identity, PluginContext context, RdmaSettings settings, UcxLibrary.Loaded library,
            Map<String, String> variables) throws UcxException {
        HostProcess place;
        try {
            place = HostProcess.here();
        } catch (IOException e) {
            throw new TransportException("rank " + identity.rank() + " cannot find out where it runs: " + e, e);
        }
        Worker worker = Worker.open(library.ucp(), variables, identity.ranks());
        var here = new Locator.Reachable(place, Proof.nonce(), worker.address());
        return new RdmaPort(identity, context, settings, worker, here,
                "UCX " + library.version() + " (" + library.file() + ") with " + variables.get("TLS"));
    }

    @Override
    public String address() {
        return here.toString();
    }

    @Override
    public Availability reach(String address) {
        return switch (Locator.parse(address)) {
            case Locator.Unreachable(String reason) -> Availability.unavailable(reason);
            case Locator.Reachable there when !settings.leavesHost() && !here.place().sameHost(there.place()) ->
                Availability.unavailable("they are on different hosts, and " + settings.transports() + " work within one");
            case Locator.Reachable there -> Availability.available(SCORE);
        };
    }

    @Override
    public Wire connect(List<String> addresses, Set<Integer> peers, Duration limit) {
        Map<Integer, Locator.Reachable> locators = locators(addresses, peers);
        synchronized (this) {
            if (!open) {
                throw new TransportException("the port of rank " + identity.rank() + " is closed");
            }
            if (used) {
                throw new IllegalStateException("the port of rank " + identity.rank() + " is connected already");
            }
            used = true;
        }
        int ranksHere = (int) addresses.stream()
                .filter(address -> !address.isEmpty() && Locator.parse(address) instanceof Locator.Reachable there
                        && there.place().sameHost(here.place()))
                .count();
        WaitStrategy waiting = WaitStrategy.of(Math.max(1, ranksHere), context);
        var connecting = new Connecting(identity, here, worker, settings.leavesHost(), Arena.ofShared());
        Wire wire = connecting.connect(locators, limit, waiting);
        announce(locators.keySet(), waiting);
        return wire;
    }

    private void announce(Set<Integer> peers, WaitStrategy waiting) {
        if (!peers.isEmpty()) {
            context.announce("rank " + identity.rank() + " → " + String.join(", ", peers.stream().map(String::valueOf).toList())
                    + " by " + library + ", checksums " + (settings.leavesHost() ? "on" : "off: nothing leaves the host"));
            context.announce(waiting.toString());
        }
    }

    private Map<Integer, Locator.Reachable> locators(List<String> addresses, Set<Integer> peers) {
        if (addresses.size() != identity.ranks()) {
            throw new IllegalArgumentException(
                    "connect() needs the addresses of all " + identity.ranks() + " ranks, not " + addresses.size());
        }
        var locators = new TreeMap<Integer, Locator.Reachable>();
        for (int peer : new TreeSet<>(peers)) {
            if (peer < 0 || peer >= identity.ranks() || peer == identity.rank()) {
                throw new IllegalArgumentException(
                        "rank " + identity.rank() + " of " + identity.ranks() + " cannot be connected with rank "
                                + peer);
            }
            String address = addresses.get(peer);
            if (reach(address) instanceof Availability.Unavailable(String reason)) {
                throw new TransportException(
                        "rank " + identity.rank() + " and rank " + peer + " cannot use transport rdma: " + reason);
            }
            locators.put(peer, (Locator.Reachable) Locator.parse(address));
        }
        return locators;
    }

    /** The worker belongs to the wire once there is one. */
    @Override
    public synchronized void close() {
        if (open) {
            open = false;
            if (!used) {
                worker.close();
            }
        }
    }
}
