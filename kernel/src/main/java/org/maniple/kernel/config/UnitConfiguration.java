package org.maniple.kernel.config;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.maniple.api.Extension;
import org.maniple.api.HostInfo;
import org.maniple.api.PluginContext;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.transport.ControlTransport;
import org.maniple.api.transport.Transport;
import org.maniple.kernel.plugin.ExtensionKind;
import org.maniple.kernel.plugin.Extensions;
import org.maniple.kernel.plugin.LoadedPlugin;
import org.maniple.kernel.plugin.PluginCatalog;

/**
 * A configuration without mistakes, and what follows from it. Immutable.
 *
 * @param settings the value of each key, with its source; {@code collectives}, {@code compute} and {@code frontend} hold the names of extensions
 *     that are available, never {@code auto}; {@code transport} may leave the choice to each pair of ranks
 * @param catalog the plugins
 * @param mesh the ranks of the unit
 * @param topology where this process stands
 * @param host this machine
 * @param pluginConfigurations the bound record of each plugin that has one
 * @param secret the unit's secret, if one is configured
 * @param notices what the user should know, a line each
 */
public record UnitConfiguration(
        EffectiveSettings settings,
        PluginCatalog catalog,
        Mesh mesh,
        Topology topology,
        HostInfo host,
        Map<String, Record> pluginConfigurations,
        Optional<UnitSecret> secret,
        List<String> notices) {

    /** Copies the collections. */
    public UnitConfiguration {
        pluginConfigurations = Map.copyOf(pluginConfigurations);
        notices = List.copyOf(notices);
    }

    /**
     * This configuration with other values.
     *
     * @param other settings with the same keys
     * @return a copy
     */
    public UnitConfiguration with(EffectiveSettings other) {
        return new UnitConfiguration(other, catalog, mesh, topology, host, pluginConfigurations, secret, notices);
    }

    /**
     * The extension that the configuration chose.
     *
     * @param kind one of transport, collectives, compute and frontend
     * @param <T> its interface
     * @return the extension
     */
    public <T extends Extension> T chosen(ExtensionKind<T> kind) {
        return extensions().choose(kind, settings.text(kind.word()), host);
    }

    /**
     * The transport over which ranks find each other.
     *
     * @return the configured one if it has control links; otherwise the best one that has
     */
    public ControlTransport controlTransport() {
        String name = settings.text(ExtensionKind.TRANSPORT.word());
        Transport best = extensions().all(ExtensionKind.TRANSPORT).stream()
                .filter(one -> one.name().equals(name) && one instanceof ControlTransport)
                .findFirst()
                .orElseGet(() -> extensions().choose(ExtensionKind.TRANSPORT, Extensions.AUTO, host,
                        one -> one instanceof ControlTransport && !one.name().equals(UnitConfigurationReader.LOCAL)));
        return (ControlTransport) best;
    }

    /**
     * The transports that data may take.
     *
     * @return the configured one, or all if that is left to each pair of ranks; by name. Some may not be available on this host
     */
    public List<Transport> dataTransports() {
        String name = settings.text(ExtensionKind.TRANSPORT.word());
        return extensions().all(ExtensionKind.TRANSPORT).stream()
                .filter(one -> name.equals(Extensions.AUTO)
                        ? !one.name().equals(UnitConfigurationReader.LOCAL)
                        : one.name().equals(name))
                .sorted(Comparator.comparing(Transport::name))
                .toList();
    }

    /**
     * All extensions of the enabled plugins.
     *
     * @return for look-ups
     */
    public Extensions extensions() {
        return catalog.extensions();
    }

    /**
     * What an extension is given when it is opened.
     *
     * @param extension an extension of this catalog
     * @param announcer shows a line to the user
     * @return its context
     */
    public PluginContext context(Extension extension, Consumer<String> announcer) {
        LoadedPlugin plugin = extensions().pluginOf(extension);
        return new RankContext(plugin.id(), settings, host, Optional.ofNullable(pluginConfigurations.get(plugin.id())),
                announcer);
    }
}
