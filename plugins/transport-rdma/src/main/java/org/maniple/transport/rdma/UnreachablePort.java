package org.maniple.transport.rdma;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.maniple.api.Availability;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.TransportException;
import org.maniple.api.transport.Wire;

/** The port of a rank that has no device, or no UCX. */
final class UnreachablePort implements Port {

    private final int rank;
    private final String reason;

    UnreachablePort(int rank, String reason) {
        this.rank = rank;
        this.reason = reason;
    }

    @Override
    public String address() {
        return new Locator.Unreachable(reason).toString();
    }

    @Override
    public Availability reach(String address) {
        return Availability.unavailable(reason);
    }

    @Override
    public Wire connect(List<String> addresses, Set<Integer> peers, Duration limit) {
        throw new TransportException("rank " + rank + " cannot use transport rdma: " + reason);
    }

    @Override
    public void close() {
        // There is nothing.
    }
}
