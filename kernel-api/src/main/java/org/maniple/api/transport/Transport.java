package org.maniple.api.transport;

import java.util.List;
import java.util.stream.IntStream;
import org.maniple.api.Extension;
import org.maniple.api.PluginContext;

/**
 * A way for data to get from rank to rank. Ranks find each other over a {@link ControlTransport}, and tell each other there the addresses of
 * their {@linkplain Port ports}; a transport that is not one itself needs no listener of its own.
 */
public interface Transport extends Extension {

    /**
     * Opens this rank's end. From then on peers can reach it.
     *
     * @param identity who this rank is
     * @param bind where to listen, if it listens
     * @param context the plugin's context
     * @return the port, to be closed by the caller
     * @throws TransportException if it cannot be opened, for example because the address cannot be listened on; names what was tried
     */
    Port open(Identity identity, Bind bind, PluginContext context);

    /**
     * Which ranks share memory with each other. The same on all ranks, whether or not they are among them.
     *
     * @param addresses the addresses of the ports of all ranks, by rank; empty where a rank has none
     * @return by rank, the lowest rank of its island; a rank that shares memory with nobody is one
     */
    default int[] islands(List<String> addresses) {
        return IntStream.range(0, addresses.size()).toArray();
    }

    /**
     * Who a rank is. Peers prove to each other that they know the secret, and that unit and epoch are the same, before any other byte
     * is read.
     *
     * @param unit the unit's name
     * @param epoch how often the unit has been built
     * @param rank this rank
     * @param ranks the number of ranks in the unit
     * @param secret the unit's secret; at least 16 bytes. Never sent
     */
    record Identity(String unit, long epoch, int rank, int ranks, byte[] secret) {}

    /**
     * Where to listen.
     *
     * @param host a host name or address of this machine
     * @param port a port; 0: any free one
     */
    record Bind(String host, int port) {}
}
