package org.maniple.kernel.cli;

import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.maniple.api.ManipleException;
import org.maniple.kernel.config.ConfigurationException;
import org.maniple.kernel.plugin.DisabledPlugins;
import org.maniple.kernel.plugin.LoadedPlugin;
import org.maniple.kernel.plugin.NearestName;
import org.maniple.kernel.plugin.PluginCatalog;
import org.maniple.kernel.plugin.PluginDescriptor;
import org.maniple.kernel.plugin.PluginException;
import org.maniple.kernel.plugin.PluginSelection;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** The commands about installed plugins. A broken plugin is shown, and hides no other. */
abstract sealed class PluginsCommand implements Callable<Integer> {

    final Surroundings surroundings;

    PluginsCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /** The group itself. */
    @Command(name = "plugins", description = "Lists, checks, enables and disables plugins.", synopsisSubcommandLabel = "COMMAND", footer = {
        "%nExamples:", "  maniple plugins list", "  maniple plugins info transport-tcp", "  maniple plugins verify"})
    static final class Group {}

    DisabledPlugins disabled() {
        return new DisabledPlugins(surroundings.installation().get().disabledPlugins());
    }

    PluginCatalog catalog() {
        var selection = new PluginSelection(disabled().ids(), Optional.empty());
        try {
            return PluginCatalog.scan(surroundings.installation().get().plugins(), surroundings.builtIn(), selection);
        } catch (ManipleException e) {
            throw new ConfigurationException(List.of(String.valueOf(e.getMessage())));
        }
    }

    PluginListing listing(PluginCatalog catalog) {
        return new PluginListing(catalog, surroundings.host().get(), surroundings.colours());
    }

    /** Throws unless an id is that of an installed plugin, be it broken or disabled. */
    static void requireInstalled(PluginCatalog catalog, String id) {
        var ids = new TreeSet<String>();
        catalog.plugins().stream().filter(plugin -> plugin.folder().isPresent()).map(LoadedPlugin::id).forEach(ids::add);
        catalog.disabled().stream().map(PluginDescriptor::id).forEach(ids::add);
        catalog.failures().stream().map(PluginException::pluginId).forEach(ids::add);
        if (!ids.contains(id)) {
            throw new ConfigurationException(
                    List.of("plugin [" + id + "] is not installed; installed: " + ids + NearestName.hint(id, ids)));
        }
    }

    @Command(name = "list", description = "Shows every installed plugin with its extensions, and what is wrong with broken ones.", footer = {
        "%nExamples:", "  maniple plugins list"})
    static final class ListAll extends PluginsCommand {
        ListAll(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        public Integer call() {
            listing(catalog()).table().forEach(surroundings.out()::println);
            return 0;
        }
    }

    @Command(name = "info", description = "Shows one plugin with its extensions and configuration keys.", footer = {"%nExamples:",
        "  maniple plugins info parallel-tp"})
    static final class Info extends PluginsCommand {
        @Parameters(paramLabel = "ID", description = "Id of a plugin; kernel for what the kernel brings itself.")
        String id = "";

        Info(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        public Integer call() {
            var catalog = catalog();
            for (PluginException failure : catalog.failures()) {
                if (failure.pluginId().equals(id)) {
                    throw failure;
                }
            }
            if (catalog.plugin(id).isEmpty()) {
                requireInstalled(catalog, id);
            }
            listing(catalog).details(id).forEach(surroundings.out()::println);
            return 0;
        }
    }

    @Command(name = "verify", description = "Loads every enabled plugin; exit code 2 if one is broken.", footer = {"%nExamples:",
        "  maniple plugins verify"})
    static final class Verify extends PluginsCommand {
        Verify(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        public Integer call() {
            var catalog = catalog();
            if (!catalog.failures().isEmpty()) {
                throw new ConfigurationException(
                        catalog.failures().stream().map(failure -> String.valueOf(failure.getMessage())).toList());
            }
            long loaded = catalog.plugins().stream().filter(plugin -> plugin.folder().isPresent()).count();
            surroundings.out().println(loaded + (loaded == 1 ? " plugin is" : " plugins are") + " in order"
                    + (catalog.disabled().isEmpty() ? "" : "; " + catalog.disabled().size() + " disabled"));
            return 0;
        }
    }

    @Command(name = "enable", description = "Uses a disabled plugin again.", footer = {"%nExamples:",
        "  maniple plugins enable model-gemma"})
    static final class Enable extends PluginsCommand {
        @Parameters(paramLabel = "ID", description = "Id of a plugin.")
        String id = "";

        Enable(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        public Integer call() {
            boolean changed = disabled().enable(id);
            if (!changed) {
                requireInstalled(catalog(), id);
            }
            surroundings.out().println("plugin " + id + (changed ? " is enabled now" : " was enabled already"));
            return 0;
        }
    }

    @Command(name = "disable", description = "Does not use a plugin any more, without removing it.", footer = {"%nExamples:",
        "  maniple plugins disable model-gemma"})
    static final class Disable extends PluginsCommand {
        @Parameters(paramLabel = "ID", description = "Id of a plugin.")
        String id = "";

        Disable(Surroundings surroundings) {
            super(surroundings);
        }

        @Override
        public Integer call() {
            requireInstalled(catalog(), id);
            boolean changed = disabled().disable(id);
            surroundings.out().println("plugin " + id + (changed ? " is disabled now" : " was disabled already"));
            return 0;
        }
    }
}
