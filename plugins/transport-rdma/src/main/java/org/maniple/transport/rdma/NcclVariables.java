package org.maniple.transport.rdma;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** What operators have told NCCL about their network, in UCX' words. */
final class NcclVariables {

    private static final String HCA = "NCCL_IB_HCA";
    private static final String DISABLE = "NCCL_IB_DISABLE";
    /** NCCL counts like the InfiniBand standard: 4.096 µs times a power of two. */
    private static final double TIMEOUT_UNIT_MICROS = 4.096;

    private NcclVariables() {}

    /** Variables of UCX without {@code UCX_} in front. */
    static Map<String, String> of(Map<String, String> environment, List<RdmaDevice> there) {
        var variables = new LinkedHashMap<String, String>();
        copy(environment, "NCCL_IB_GID_INDEX", variables, "IB_GID_INDEX");
        copy(environment, "NCCL_IB_TC", variables, "IB_TRAFFIC_CLASS");
        copy(environment, "NCCL_IB_SL", variables, "IB_SL");
        copy(environment, "NCCL_IB_RETRY_CNT", variables, "RC_RETRY_COUNT");
        String timeout = environment.getOrDefault("NCCL_IB_TIMEOUT", "");
        if (timeout.matches("\\d{1,2}")) {
            variables.put("RC_TIMEOUT",
                    String.format(Locale.ROOT, "%.0fus", TIMEOUT_UNIT_MICROS * (1L << Math.min(31, Integer.parseInt(timeout)))));
        }
        List<String> devices = devices(environment.getOrDefault(HCA, ""), there);
        if (!devices.isEmpty()) {
            variables.put("NET_DEVICES", String.join(",", devices));
        }
        return variables;
    }

    private static void copy(Map<String, String> environment, String theirs, Map<String, String> variables, String ours) {
        String value = environment.getOrDefault(theirs, "");
        // NCCL takes a negative number for none.
        if (value.matches("\\d+")) {
            variables.put(ours, value);
        }
    }

    /** Whether NCCL must not use such devices. */
    static boolean disabled(Map<String, String> environment) {
        return environment.getOrDefault(DISABLE, "0").equals("1");
    }

    /** Names that begin so; with {@code =} exactly so, with {@code ^} not so. A port may follow a colon. */
    private static List<String> devices(String text, List<RdmaDevice> there) {
        boolean not = text.startsWith("^");
        String rest = not ? text.substring(1) : text;
        boolean exactly = rest.startsWith("=");
        List<String> named = Stream.of((exactly ? rest.substring(1) : rest).split(",", -1)).filter(name -> !name.isBlank())
                .toList();
        if (named.isEmpty()) {
            return List.of();
        }
        return there.stream()
                .filter(device -> named.stream().anyMatch(name -> names(name, device, exactly)) != not)
                .map(RdmaDevice::ucxName)
                .toList();
    }

    private static boolean names(String name, RdmaDevice device, boolean exactly) {
        int colon = name.indexOf(':');
        String start = colon < 0 ? name : name.substring(0, colon);
        boolean port = colon < 0 || name.substring(colon + 1).equals(Integer.toString(device.port()));
        return port && (exactly ? device.name().equals(start) : device.name().startsWith(start));
    }
}
