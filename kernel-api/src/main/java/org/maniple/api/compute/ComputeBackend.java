package org.maniple.api.compute;

import org.maniple.api.Extension;
import org.maniple.api.PluginContext;

/** A kind of device that can compute. */
public interface ComputeBackend extends Extension {

    /**
     * Takes hold of the device for one rank.
     *
     * @param context the plugin's context
     * @param threads how many threads of this process may compute, at least 1
     * @return the session, to be closed by the caller
     * @throws org.maniple.api.ManipleException if the device cannot be used; says why and what to do
     */
    ComputeSession open(PluginContext context, int threads);
}
