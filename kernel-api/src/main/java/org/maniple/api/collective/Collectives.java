package org.maniple.api.collective;

import org.maniple.api.Extension;
import org.maniple.api.PluginContext;
import org.maniple.api.transport.Wire;

/** Algorithms for what groups of ranks do together. */
public interface Collectives extends Extension {

    /**
     * Begins to use a wire.
     *
     * @param wire the rank's wire; stays the caller's
     * @param stepLimitNanos how long any one exchange may take before the silent rank is named
     * @param context the plugin's context
     * @return for use by the thread that uses the wire
     */
    Communicator open(Wire wire, long stepLimitNanos, PluginContext context);
}
