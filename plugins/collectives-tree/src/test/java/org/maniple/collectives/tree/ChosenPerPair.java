package org.maniple.collectives.tree;

import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.maniple.api.PluginContext;
import org.maniple.api.transport.Port;
import org.maniple.api.transport.Transport;
import org.maniple.api.transport.Wire;
import org.maniple.kernel.link.DataPorts;
import org.maniple.kernel.link.DataPorts.Way;

/** Several transports as one, among which the kernel chooses for each pair of ranks. */
record ChosenPerPair(List<Transport> transports) implements Transport {

    @Override
    public String name() {
        return "auto";
    }

    @Override
    public Port open(Identity identity, Bind bind, PluginContext context) {
        List<Way> ways = transports.stream().map(one -> Way.over(one, one.open(identity, bind, context))).toList();
        return new Ports(ways, new DataPorts(identity.rank(), ways));
    }

    private record Ports(List<Way> ways, DataPorts ports) implements Port {

        @Override
        public String address() {
            return ports.addresses().toString();
        }

        private static Map<String, String> parse(String text) {
            var addresses = new HashMap<String, String>();
            Arrays.stream(text.substring(1, text.length() - 1).split(", "))
                    .forEach(part -> addresses.put(part.substring(0, part.indexOf('=')), part.substring(part.indexOf('=') + 1)));
            return addresses;
        }

        @Override
        public Wire connect(List<String> addresses, Set<Integer> peers, Duration limit) {
            return ports.connect(addresses.stream().map(Ports::parse).toList(), peers, limit);
        }

        @Override
        public void close() {
            ways.forEach(way -> way.port().orElseThrow().close());
        }
    }
}
