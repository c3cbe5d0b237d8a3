package org.maniple.bench;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.GivenSettings;
import org.maniple.transport.rdma.RdmaTransport;
import org.maniple.transport.shm.ShmTransport;
import org.maniple.transport.tcp.TcpTransport;

/** Transports by the words of the programs here. */
final class NamedTransport {

    private static final String LINK_SECURITY = "link-security";

    private NamedTransport() {}

    /**
     * Opens a port.
     *
     * @param name {@code tcp}, with more protection {@code tcp-integrity}, {@code tcp-encrypt}; {@code shm}, {@code rdma}, or what UCX has beside devices: {@code ucx-tcp}, {@code ucx-shm}
     */
    static Port open(String name, Transport.Identity identity) {
        Transport transport = switch (name) {
            case "tcp", "tcp-integrity", "tcp-encrypt" -> new TcpTransport();
            case "shm" -> new ShmTransport();
            case "rdma", "ucx-tcp", "ucx-shm" -> new RdmaTransport();
            default -> throw new IllegalArgumentException(
                    "transport [" + name + "] is none of tcp, tcp-integrity, tcp-encrypt, shm, rdma, ucx-tcp, ucx-shm");
        };
        Map<String, Object> settings = switch (name) {
            case "ucx-tcp" -> Map.of("rdma-transports", List.of("tcp"), "rdma-devices", List.of("lo"));
            case "ucx-shm" -> Map.of("rdma-transports", List.of("posix", "cma"));
            case "tcp-integrity" -> Map.of(LINK_SECURITY, "integrity");
            case "tcp-encrypt" -> Map.of(LINK_SECURITY, "encrypt");
            default -> Map.of();
        };
        // A key of the kernel, which is not here.
        List<Option> options = Stream
                .concat(transport.options().stream(),
                        Stream.of(Option.of(LINK_SECURITY, OptionType.TEXT, "").withDefault("auth")))
                .toList();
        var empty = GivenContext.empty();
        return transport.open(identity, new Transport.Bind("127.0.0.1", 0),
                new GivenContext(new GivenSettings(options, settings), empty.host(), empty.announced()));
    }
}
