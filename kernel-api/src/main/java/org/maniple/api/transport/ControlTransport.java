package org.maniple.api.transport;

import org.maniple.api.PluginContext;

/** A transport over which ranks can also find each other: it listens where a configuration says, and carries control links. */
public interface ControlTransport extends Transport {

    @Override
    Endpoint open(Identity identity, Bind bind, PluginContext context);
}
