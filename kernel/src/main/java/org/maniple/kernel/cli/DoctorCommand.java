package org.maniple.kernel.cli;

import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.maniple.api.Availability;
import org.maniple.kernel.config.ConfigurationException;
import org.maniple.kernel.plugin.DisabledPlugins;
import org.maniple.kernel.plugin.Extensions;
import org.maniple.kernel.plugin.LoadedPlugin.Provided;
import org.maniple.kernel.plugin.NearestName;
import org.maniple.kernel.plugin.PluginCatalog;
import org.maniple.kernel.plugin.PluginSelection;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Says what an extension finds on this host, and what keeps it from working. */
@Command(name = "doctor", description = "Shows what an extension finds on this host, what it would use, and what is in the way.", footer = {
    "%nExamples:", "  maniple doctor rdma"})
final class DoctorCommand implements Callable<Integer> {

    private final Surroundings surroundings;

    @Parameters(paramLabel = "NAME", description = "Name of an extension, as a configuration chooses it; maniple plugins list shows all.")
    String name = "";

    DoctorCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        var installation = surroundings.installation().get();
        var selection = new PluginSelection(new DisabledPlugins(installation.disabledPlugins()).ids(), Optional.empty());
        PluginCatalog catalog = PluginCatalog.scan(installation.plugins(), surroundings.builtIn(), selection);
        List<Provided<?>> all = catalog.plugins().stream().flatMap(plugin -> plugin.extensions().stream()).toList();
        List<Provided<?>> named = all.stream().filter(one -> one.extension().name().equals(name)).toList();
        if (named.isEmpty()) {
            var names = new TreeSet<String>();
            all.forEach(one -> names.add(one.extension().name()));
            throw new ConfigurationException(
                    List.of("extension [" + name + "] is not installed; installed: " + names + NearestName.hint(name, names)));
        }
        named.forEach(this::show);
        return 0;
    }

    private void show(Provided<?> one) {
        var host = surroundings.host().get();
        List<String> lines = one.extension().diagnosis(host);
        if (lines.isEmpty()) {
            surroundings.out().println(one.kind() + " " + name + ": "
                    + switch (Extensions.probe(one.extension(), host)) {
                        case Availability.Available available -> "nothing keeps it from working on this host";
                        case Availability.Unavailable(var reason) -> "cannot work on this host: " + reason;
                    });
        }
        lines.forEach(surroundings.out()::println);
    }
}
