package org.maniple.transport.rdma;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.api.config.Settings;

/**
 * What a configuration says about UCX.
 *
 * @param library the path of libucp, or the name that the system's loader knows
 * @param transports of UCX, in its words
 * @param devices of the network, in UCX' words; empty: all
 * @param gid the index of the address of a RoCE port
 * @param trafficClass of packets
 * @param serviceLevel of packets
 * @param rails how many ports carry one large message
 * @param ports where UCX may listen, for transports that do
 */
record RdmaSettings(
        String library,
        List<String> transports,
        List<String> devices,
        Optional<Integer> gid,
        Optional<Integer> trafficClass,
        Optional<Integer> serviceLevel,
        Optional<Integer> rails,
        Optional<String> ports) {

    static final String LIBRARY = "rdma-library";
    static final String TRANSPORTS = "rdma-transports";
    static final String DEVICES = "rdma-devices";
    static final String GID_INDEX = "rdma-gid-index";
    static final String TRAFFIC_CLASS = "rdma-traffic-class";
    static final String SERVICE_LEVEL = "rdma-service-level";
    static final String RAILS = "rdma-rails";
    static final String PORTS = "rdma-ports";

    /** All of UCX that needs an InfiniBand or RoCE device. */
    private static final String INFINIBAND = "ib";

    /** What UCX has beside devices. */
    private static final Set<String> WITHOUT_DEVICE = Set.of("tcp", "posix", "sysv", "cma", "xpmem", "knem", "sm", "shm", "mm",
            "self");
    /** Nothing of it leaves the host. */
    private static final Set<String> INSIDE_HOST = Set.of("posix", "sysv", "cma", "xpmem", "knem", "sm", "shm", "mm", "self");

    static final List<Option> OPTIONS = List.of(
            Option.of(LIBRARY, OptionType.TEXT, "Path of libucp.so.0, or a name that the system's loader finds.")
                    .withDefault(UcxLibrary.NAME).asLocal(),
            Option.of(TRANSPORTS, OptionType.TEXTS,
                    "Transports of UCX that transport rdma uses (UCX_TLS): ib for InfiniBand and RoCE, or some of rc, ud, dc; without a device,"
                            + " if named: tcp, posix, cma, sysv. Default: ib."),
            Option.of(DEVICES, OptionType.TEXTS,
                    "Devices and ports that transport rdma uses (UCX_NET_DEVICES, NCCL_IB_HCA), for example mlx5_0:1. Default: all.")
                    .asLocal(),
            Option.of(GID_INDEX, OptionType.INTEGER, "Index of the RoCE address (UCX_IB_GID_INDEX, NCCL_IB_GID_INDEX).")
                    .withMinimum(0)
                    .asLocal(),
            Option.of(TRAFFIC_CLASS, OptionType.INTEGER, "Traffic class of RDMA packets (UCX_IB_TRAFFIC_CLASS, NCCL_IB_TC).")
                    .withMinimum(0),
            Option.of(SERVICE_LEVEL, OptionType.INTEGER, "Service level of RDMA packets (UCX_IB_SL, NCCL_IB_SL).").withMinimum(0),
            Option.of(RAILS, OptionType.INTEGER, "Ports that carry one large message together (UCX_MAX_RNDV_RAILS).")
                    .withMinimum(1),
            Option.of(PORTS, OptionType.TEXT,
                    "Ports on which UCX' own tcp transport listens, for example 18515-18530 (UCX_TCP_PORT_RANGE). Default: any."));

    /**
     * From which size on a message waits until the receiver has asked for it. Without a device that reads the sender's memory, asking only takes time:
     * UCX itself asks from 8 KiB on. Larger ones come in pieces of this size, of which the receiver must not have to keep many.
     */
    private static final String ASKING_BEGINS = "256k";

    /** Copies the lists. */
    RdmaSettings {
        transports = List.copyOf(transports);
        devices = List.copyOf(devices);
    }

    static RdmaSettings of(Settings settings) {
        if (!settings.declared(LIBRARY)) {
            return new RdmaSettings(UcxLibrary.NAME, List.of(INFINIBAND), List.of(), Optional.empty(), Optional.empty(),
                    Optional.empty(),
                    Optional.empty(), Optional.empty());
        }
        List<String> named = settings.texts(TRANSPORTS);
        return new RdmaSettings(settings.text(LIBRARY), named.isEmpty() ? List.of(INFINIBAND) : named, settings.texts(DEVICES),
                integer(settings, GID_INDEX), integer(settings, TRAFFIC_CLASS), integer(settings, SERVICE_LEVEL),
                integer(settings, RAILS),
                settings.optionalText(PORTS));
    }

    /** What variables such as {@code MANIPLE_RDMA_TRANSPORTS} say, where there is no configuration. */
    static RdmaSettings of(Map<String, String> environment) {
        List<String> transports = texts(environment, TRANSPORTS);
        return new RdmaSettings(environment.getOrDefault(variable(LIBRARY), UcxLibrary.NAME),
                transports.isEmpty() ? List.of(INFINIBAND) : transports, texts(environment, DEVICES),
                integer(environment, GID_INDEX),
                integer(environment, TRAFFIC_CLASS), integer(environment, SERVICE_LEVEL), integer(environment, RAILS),
                Optional.ofNullable(environment.get(variable(PORTS))));
    }

    private static String variable(String key) {
        return "MANIPLE_" + key.replace('-', '_').toUpperCase(Locale.ROOT);
    }

    private static List<String> texts(Map<String, String> environment, String key) {
        return Stream.of(environment.getOrDefault(variable(key), "").split(",", -1)).filter(text -> !text.isBlank()).toList();
    }

    private static Optional<Integer> integer(Map<String, String> environment, String key) {
        String text = environment.getOrDefault(variable(key), "");
        return text.matches("\\d{1,9}") ? Optional.of(Integer.valueOf(text)) : Optional.empty();
    }

    private static Optional<Integer> integer(Settings settings, String key) {
        return settings.has(key) ? Optional.of(settings.integer(key)) : Optional.empty();
    }

    /** Whether something of it needs an InfiniBand or RoCE device. */
    boolean needsDevice() {
        return !WITHOUT_DEVICE.containsAll(transports);
    }

    /** Whether frames may leave the host. */
    boolean leavesHost() {
        return !INSIDE_HOST.containsAll(transports);
    }

    /**
     * Variables of UCX, without {@code UCX_} in front. What the configuration says comes first, then UCX' own variables, then what operators have
     * told NCCL.
     *
     * @param environment of this process
     * @param there the devices of this host
     */
    Map<String, String> variables(Map<String, String> environment, List<RdmaDevice> there) {
        var variables = new LinkedHashMap<String, String>();
        NcclVariables.of(environment, there).forEach((name, value) -> {
            if (!environment.containsKey("UCX_" + name)) {
                variables.put(name, value);
            }
        });
        variables.put("TLS", String.join(",", transports));
        // A peer without a sign of life is asked for one.
        variables.put("KEEPALIVE_INTERVAL", "500ms");
        // Otherwise a peer that is gone ends this process, too.
        if (transports.stream().anyMatch(Set.of("posix", "sm", "shm", "mm")::contains)) {
            variables.put("POSIX_ERROR_HANDLING", "y");
        }
        if (transports.stream().anyMatch(Set.of("sysv", "sm", "shm", "mm")::contains)) {
            variables.put("SYSV_ERROR_HANDLING", "y");
        }
        if (!devices.isEmpty()) {
            variables.put("NET_DEVICES", String.join(",", devices));
        }
        gid.ifPresent(index -> variables.put("IB_GID_INDEX", Integer.toString(index)));
        trafficClass.ifPresent(number -> variables.put("IB_TRAFFIC_CLASS", Integer.toString(number)));
        serviceLevel.ifPresent(level -> variables.put("IB_SL", Integer.toString(level)));
        rails.ifPresent(count -> variables.put("MAX_RNDV_RAILS", Integer.toString(count)));
        ports.ifPresent(range -> variables.put("TCP_PORT_RANGE", range));
        if (!needsDevice()) {
            if (!environment.containsKey("UCX_RNDV_THRESH")) {
                variables.put("RNDV_THRESH", ASKING_BEGINS);
            }
            // They would only be refused: there is no device that they are for.
            variables.keySet().removeIf(name -> name.startsWith("IB_") || name.startsWith("RC_"));
            if (devices.isEmpty()) {
                variables.remove("NET_DEVICES");
            }
        }
        return variables;
    }
}
