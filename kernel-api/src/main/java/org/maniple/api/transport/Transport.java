package org.maniple.api.transport;

import org.maniple.api.Extension;
import org.maniple.api.PluginContext;

/** A way for ranks to reach each other. */
public interface Transport extends Extension {

    /**
     * Opens this rank's end. From then on peers can reach it.
     *
     * @param identity who this rank is
     * @param bind where to listen
     * @param context the plugin's context
     * @return the endpoint, to be closed by the caller
     * @throws TransportException if the address cannot be listened on; names address and port
     */
    Endpoint open(Identity identity, Bind bind, PluginContext context);

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
