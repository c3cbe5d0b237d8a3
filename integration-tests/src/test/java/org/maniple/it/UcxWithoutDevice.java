package org.maniple.it;

import java.util.List;
import java.util.Map;
import org.maniple.api.PluginContext;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.testkit.GivenContext;
import org.maniple.testkit.GivenSettings;
import org.maniple.transport.rdma.RdmaTransport;

/**
 * The RDMA transport on what UCX has beside devices.
 *
 * @param transports of UCX
 */
record UcxWithoutDevice(List<String> transports) implements Transport {

    @Override
    public String name() {
        return "rdma";
    }

    /** Whether UCX is here. */
    static boolean installed() {
        return new RdmaTransport().diagnosis(GivenContext.empty().host()).stream()
                .anyMatch(line -> line.startsWith("library: UCX "));
    }

    @Override
    public Port open(Identity identity, Bind bind, PluginContext context) {
        var transport = new RdmaTransport();
        var settings = new GivenSettings(transport.options(), Map.of("rdma-transports", transports));
        return transport.open(identity, bind, new GivenContext(settings, context.host(), GivenContext.empty().announced()));
    }
}
