package org.maniple.kernel.config;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.maniple.api.HostInfo;
import org.maniple.api.compute.ComputeBackend;
import org.maniple.api.compute.ComputeSession;
import org.maniple.kernel.plugin.ExtensionKind;
import org.maniple.kernel.plugin.PluginCatalog;

/**
 * A configuration of what computes, without a model. Immutable.
 *
 * @param settings what is given
 * @param catalog the plugins
 * @param host this machine
 * @param pluginConfigurations the record of each plugin that has one, by its id
 * @param notices what the user should know, a line each
 */
public record DeviceWish(EffectiveSettings settings, PluginCatalog catalog, HostInfo host,
        Map<String, Record> pluginConfigurations, List<String> notices) {

    /** Copies the collections. */
    public DeviceWish {
        pluginConfigurations = Map.copyOf(pluginConfigurations);
        notices = List.copyOf(notices);
    }

    /**
     * Threads that compute.
     *
     * @return those that the configuration names, or else one for each processor
     */
    public int threads() {
        return settings.has(KernelOptions.THREADS) ? settings.integer(KernelOptions.THREADS) : host.processors();
    }

    /**
     * Opens the back end that the configuration names, or the best one.
     *
     * @param announcer shows a line to the user
     * @return to be closed by the caller
     * @throws org.maniple.api.ManipleException if there is none, or it cannot be opened; says why
     */
    public ComputeSession open(Consumer<String> announcer) {
        ComputeBackend backend = catalog.extensions().choose(ExtensionKind.COMPUTE, settings.text(KernelOptions.COMPUTE), host);
        String plugin = catalog.extensions().pluginOf(backend).id();
        return backend.open(
                new RankContext(plugin, settings, host, Optional.ofNullable(pluginConfigurations.get(plugin)), announcer),
                threads());
    }
}
