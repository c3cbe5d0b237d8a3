package org.maniple.bench;

import java.util.List;
import java.util.Map;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.GivenSettings;
import org.maniple.transport.rdma.RdmaTransport;
import org.maniple.transport.shm.ShmTransport;
import org.maniple.transport.tcp.TcpTransport;

/** Transports by the words of the programs here. */
final class NamedTransport {

    private NamedTransport() {}

    /**
     * Opens a port.
     *
     * @param name {@code tcp}, {@code shm}, {@code rdma}, or what UCX has beside devices: {@code ucx-tcp}, {@code ucx-shm}
     */
    static Port open(String name, Transport.Identity identity) {
        Transport transport = switch (name) {
            case "tcp" -> new TcpTransport();
            case "shm" -> new ShmTransport();
            case "rdma", "ucx-tcp", "ucx-shm" -> new RdmaTransport();
            default -> throw new IllegalArgumentException("transport [" + name + "] is none of tcp, shm, rdma, ucx-tcp, ucx-shm");
        };
        Map<String, Object> settings = switch (name) {
            case "ucx-tcp" -> Map.of("rdma-transports", List.of("tcp"), "rdma-devices", List.of("lo"));
            case "ucx-shm" -> Map.of("rdma-transports", List.of("posix", "cma"));
            default -> Map.of();
        };
        var empty = GivenContext.empty();
        return transport.open(identity, new Transport.Bind("127.0.0.1", 0),
                new GivenContext(new GivenSettings(transport.options(), settings), empty.host(), empty.announced()));
    }
}
