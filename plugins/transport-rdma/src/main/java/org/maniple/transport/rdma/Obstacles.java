package org.maniple.transport.rdma;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What keeps this host from RDMA, found without loading anything. */
final class Obstacles {

    private Obstacles() {}

    /** Empty if nothing is in the way. */
    static Optional<String> of(RdmaSettings settings, Map<String, String> environment, List<RdmaDevice> devices) {
        if (!settings.needsDevice()) {
            return Optional.empty();
        }
        if (devices.isEmpty()) {
            return Optional.of("there is no InfiniBand or RoCE device on this host (" + RdmaDevice.DIRECTORY
                    + " is empty or missing): install the driver of the card and rdma-core, and give containers /dev/infiniband;"
                    + " or name transports of UCX that need none, for example rdma-transports: [tcp]");
        }
        if (devices.stream().noneMatch(RdmaDevice::active)) {
            return Optional.of("no port of the InfiniBand or RoCE devices on this host is active: " + devices
                    + "; check the cable, and the subnet manager (InfiniBand) or the link (RoCE)");
        }
        return NcclVariables.disabled(environment)
                ? Optional.of("NCCL_IB_DISABLE=1 forbids it; unset it, or choose another transport")
                : Optional.empty();
    }
}
