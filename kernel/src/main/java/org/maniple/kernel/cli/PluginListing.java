package org.maniple.kernel.cli;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.maniple.api.Availability;
import org.maniple.api.HostInfo;
import org.maniple.api.config.Option;
import org.maniple.kernel.plugin.Extensions;
import org.maniple.kernel.plugin.LoadedPlugin;
import org.maniple.kernel.plugin.LoadedPlugin.Provided;
import org.maniple.kernel.plugin.PluginCatalog;
import org.maniple.kernel.plugin.PluginDescriptor;
import org.maniple.kernel.plugin.PluginException;

/** Plugins in words. */
final class PluginListing {

    private static final String GREEN = "\u001b[32m";
    private static final String RED = "\u001b[31m";
    private static final String DIM = "\u001b[2m";
    private static final String PLAIN = "\u001b[0m";

    private record Row(String version, String api, String state, String colour, List<String> more) {}

    private final PluginCatalog catalog;
    private final HostInfo host;
    private final boolean colours;

    PluginListing(PluginCatalog catalog, HostInfo host, boolean colours) {
        this.catalog = catalog;
        this.host = host;
        this.colours = colours;
    }

    /** All plugins, sorted by id; the lines of each begin with its id. */
    List<String> table() {
        Map<String, Row> rows = rows();
        int ids = width(rows.keySet().stream().toList(), "ID");
        int versions = width(rows.values().stream().map(Row::version).toList(), "VERSION");
        int apis = width(rows.values().stream().map(Row::api).toList(), "API");
        String format = "%-" + ids + "s  %-" + versions + "s  %-" + apis + "s  ";
        var lines = new ArrayList<String>();
        lines.add(format.formatted("ID", "VERSION", "API") + "STATE     EXTENSIONS");
        rows.forEach((id, row) -> {
            String first = row.more().isEmpty() ? "" : row.more().getFirst();
            String state = "%-8s".formatted(row.state());
            lines.add(
                    (format.formatted(id, row.version(), row.api()) + paint(state, row.colour()) + "  " + first).stripTrailing());
            row.more().stream().skip(1).forEach(line -> lines.add(" ".repeat(ids + versions + apis + 16) + line));
        });
        catalog.failures().forEach(failure -> lines.add(paint(String.valueOf(failure.getMessage()), RED)));
        return lines;
    }

    private static int width(List<String> texts, String heading) {
        return texts.stream().mapToInt(String::length).reduce(heading.length(), Math::max);
    }

    private Map<String, Row> rows() {
        var rows = new TreeMap<String, Row>(
                Comparator.comparing((String id) -> !id.equals(PluginCatalog.KERNEL)).thenComparing(id -> id));
        for (LoadedPlugin plugin : catalog.plugins()) {
            rows.put(plugin.id(),
                    new Row(plugin.descriptor().version(), plugin.descriptor().api(), "loaded", GREEN, extensions(plugin)));
        }
        for (PluginDescriptor plugin : catalog.disabled()) {
            rows.put(plugin.id(), new Row(plugin.version(), plugin.api(), "disabled", DIM, List.of()));
        }
        for (PluginException failure : catalog.failures()) {
            rows.put(failure.pluginId(), new Row("", "", "broken", RED, List.of("see below")));
        }
        return rows;
    }

    private List<String> extensions(LoadedPlugin plugin) {
        return plugin.extensions().stream().map(this::describe).toList();
    }

    private String describe(Provided<?> provided) {
        String name = provided.kind() + " " + provided.extension().name();
        return switch (Extensions.probe(provided.extension(), host)) {
            case Availability.Available(int score) -> score == 0 ? name : name + " (score " + score + ")";
            case Availability.Unavailable(String reason) -> name + " (cannot work here: " + reason + ")";
        };
    }

    private String paint(String text, String colour) {
        return colours ? colour + text + PLAIN : text;
    }

    /** Everything about one plugin that is loaded or disabled. */
    List<String> details(String id) {
        var lines = new ArrayList<String>();
        var loaded = catalog.plugin(id);
        PluginDescriptor descriptor = loaded.map(LoadedPlugin::descriptor).orElseGet(
                () -> catalog.disabled().stream().filter(plugin -> plugin.id().equals(id)).findFirst().orElseThrow());
        line(lines, "id", descriptor.id());
        line(lines, "version", descriptor.version());
        line(lines, "description", descriptor.description());
        line(lines, "state", loaded.isPresent() ? "loaded" : "disabled");
        line(lines, "api", descriptor.api());
        line(lines, "java", Integer.toString(descriptor.java()));
        line(lines, "module", descriptor.module());
        line(lines, "requires", String.join(", ", descriptor.requires()));
        line(lines, "native-access", String.join(", ", descriptor.nativeAccess()));
        loaded.ifPresent(plugin -> describe(plugin, lines));
        return lines;
    }

    private void describe(LoadedPlugin plugin, List<String> lines) {
        plugin.folder().ifPresent(folder -> line(lines, "folder", folder.toString()));
        plugin.layer().ifPresent(layer -> line(lines, "modules", layer.modules().stream()
                .map(module -> module.getDescriptor().toNameAndVersion()).sorted().collect(Collectors.joining(", "))));
        extensions(plugin).forEach(extension -> line(lines, "extension", extension));
        plugin.configurationType().ifPresent(type -> line(lines, "own keys", java.util.Arrays.stream(type.getRecordComponents())
                .map(component -> component.getName() + " (" + component.getType().getSimpleName() + ")")
                .collect(Collectors.joining(", "))));
        List<Option> options = plugin.extensions().stream().flatMap(provided -> provided.extension().options().stream())
                .distinct().toList();
        if (!options.isEmpty()) {
            lines.add("");
            lines.addAll(OptionHelp.lines(options));
        }
    }

    private static void line(List<String> lines, String name, String value) {
        if (!value.isEmpty()) {
            lines.add("%-14s %s".formatted(name, value));
        }
    }
}
