package org.maniple.kernel.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.maniple.api.config.Option;
import org.maniple.api.config.OptionType;
import org.maniple.kernel.config.Given.Origin;
import org.maniple.kernel.config.YamlNode.Entry;
import org.maniple.kernel.config.YamlNode.Kind;
import org.maniple.kernel.config.YamlNode.Mapping;
import org.maniple.kernel.config.YamlNode.Scalar;
import org.maniple.kernel.config.YamlNode.Sequence;
import org.maniple.kernel.plugin.NearestName;
import org.maniple.kernel.plugin.PluginCatalog;
import org.maniple.kernel.plugin.PluginDescriptor;
import org.maniple.kernel.plugin.PluginSelection;

/**
 * The configuration file: top-level keys, and the node {@code plugins}, which is a list of the only plugins to use, or a mapping from
 * plugin ids to a plugin's own configuration, {@code true}, or {@code false} for a plugin that is not to be used.
 */
final class ConfigurationFile {

    private static final String PLUGINS = "plugins";

    private final String name;
    private final Problems problems;
    private final List<Entry> entries;
    private final Map<String, Entry> plugins = new LinkedHashMap<>();
    private Optional<Set<String>> only = Optional.empty();

    ConfigurationFile(Optional<Path> file, Problems problems) {
        this.name = file.map(path -> path.getFileName().toString()).orElse("");
        this.problems = problems;
        // Without the file's keys the rest would be full of mistakes that are none.
        this.entries = file.map(path -> new YamlReader(path, problems).read()
                .orElseThrow(() -> new ConfigurationException(problems.lines())).entries()).orElse(List.of());
        entries.stream().filter(entry -> entry.key().equals(PLUGINS)).forEach(this::readPlugins);
    }

    private void readPlugins(Entry node) {
        switch (node.value()) {
            case Mapping mapping -> mapping.entries().forEach(entry -> plugins.put(entry.key(), entry));
            case Sequence sequence -> {
                var ids = new LinkedHashSet<String>();
                for (YamlNode item : sequence.items()) {
                    if (item instanceof Scalar scalar && scalar.kind() == Kind.TEXT) {
                        ids.add(scalar.text());
                        plugins.put(scalar.text(),
                                new Entry(scalar.text(), scalar.line(), new Scalar(scalar.line(), Kind.TRUTH, "true")));
                    } else {
                        problems.add(at(item.line()), PLUGINS, "a list has plugin ids only; use a mapping to configure a plugin");
                    }
                }
                only = Optional.of(ids);
            }
            default -> problems.add(at(node.line()), PLUGINS,
                    "give a list of plugin ids, or a mapping from plugin ids to their configuration");
        }
    }

    String at(int line) {
        return name + ":" + line;
    }

    /** The selection of an installation, narrowed by this file. */
    PluginSelection narrow(PluginSelection selection) {
        var off = new LinkedHashSet<String>();
        plugins.forEach((id, entry) -> {
            if (entry.value() instanceof Scalar scalar && scalar.text().equals("false")) {
                off.add(id);
            }
        });
        var narrowed = selection.without(off);
        return only.map(narrowed::restrictedTo).orElse(narrowed);
    }

    /** Complains about ids that are not installed or are disabled, and about nodes that are no configuration. */
    void checkPlugins(PluginCatalog catalog) {
        var disabled = catalog.disabled().stream().map(PluginDescriptor::id).toList();
        var installed = new ArrayList<>(disabled);
        catalog.plugins().stream().filter(plugin -> plugin.folder().isPresent()).forEach(plugin -> installed.add(plugin.id()));
        installed.sort(null);
        plugins.forEach((id, entry) -> {
            boolean off = entry.value() instanceof Scalar scalar && scalar.text().equals("false");
            if (!installed.contains(id)) {
                problems.add(at(entry.line()), PLUGINS,
                        "plugin [" + id + "] is not installed; installed: " + installed + NearestName.hint(id, installed));
            } else if (!off && disabled.contains(id)) {
                problems.add(at(entry.line()), PLUGINS,
                        "plugin [" + id + "] is disabled in this installation; maniple plugins enable " + id);
            } else if (!(entry.value() instanceof Mapping) && !isTruth(entry.value())) {
                problems.add(at(entry.line()), PLUGINS,
                        "[" + id + "] must be true, false, or a mapping with the plugin's configuration");
            }
        });
    }

    private static boolean isTruth(YamlNode node) {
        return node instanceof Scalar scalar && (scalar.kind() == Kind.TRUTH || scalar.kind() == Kind.NOTHING);
    }

    /** The node of a plugin's own configuration. */
    Optional<Mapping> plugin(String id) {
        return Optional.ofNullable(plugins.get(id)).map(Entry::value).filter(Mapping.class::isInstance).map(Mapping.class::cast);
    }

    /** The values of the top-level keys. */
    List<Given> read(OptionTable table, List<String> notices) {
        var given = new ArrayList<Given>();
        for (Entry entry : entries) {
            if (entry.key().equals(PLUGINS)) {
                continue;
            }
            var option = table.bySpelling(entry.key());
            var negated = table.byNegation(entry.key());
            var ignored = table.withoutEffect(entry.key());
            if (option.isPresent()) {
                value(option.get(), entry, given);
            } else if (negated.isPresent() && isTruth(entry.value())) {
                boolean on = entry.value() instanceof Scalar scalar && scalar.text().equals("false");
                value(negated.get(),
                        new Entry(entry.key(), entry.line(), new Scalar(entry.line(), Kind.TRUTH, Boolean.toString(on))),
                        given);
            } else if (ignored.isPresent()) {
                var text = entry.value() instanceof Scalar scalar ? Optional.of(scalar.text()) : Optional.<String>empty();
                IgnoredOptions.check(entry.key(), text, at(entry.line()) + " " + entry.key(), ignored.get(), problems, notices);
            } else {
                problems.add(at(entry.line()), table.unknown("key", entry.key()));
            }
        }
        return given;
    }

    private void value(Option option, Entry entry, List<Given> given) {
        String source = at(entry.line());
        for (Given before : given) {
            if (before.key().equals(option.key())) {
                problems.add(source, option.key(), "the key occurs again; it is in " + before.source() + " already");
                return;
            }
        }
        try {
            given.add(new Given(option.key(), parse(option, entry.value()), Origin.FILE, source, OptionTable.plain(entry.key())));
        } catch (IllegalArgumentException e) {
            problems.add(source, option.key(), String.valueOf(e.getMessage()));
        }
    }

    private static Object parse(Option option, YamlNode node) {
        return switch (node) {
            case Scalar(int _, Kind kind, String text) when kind != Kind.NOTHING -> ValueParser.parse(option, text);
            case Scalar _ -> throw new IllegalArgumentException("the key has no value; give one, or remove the line");
            case Sequence sequence when ValueParser.isList(option.type()) ->
                ValueParser.parse(option, sequence.items().stream().map(item -> {
                    if (item instanceof Scalar scalar && scalar.kind() != Kind.NOTHING) {
                        return scalar.text();
                    }
                    throw new IllegalArgumentException("the list has an entry that is no plain value");
                }).toList());
            case Sequence _ -> throw new IllegalArgumentException("a list was given where one value is wanted");
            case Mapping mapping when option.type() == OptionType.OBJECT -> entries(mapping);
            case Mapping _ -> throw new IllegalArgumentException("a mapping was given where a value is wanted");
        };
    }

    private static SortedMap<String, String> entries(Mapping mapping) {
        var entries = new TreeMap<String, String>();
        for (Entry entry : mapping.entries()) {
            if (!(entry.value() instanceof Scalar scalar) || scalar.kind() == Kind.NOTHING) {
                throw new IllegalArgumentException("[" + entry.key() + "] is no plain value; give a text or a number");
            }
            entries.put(entry.key(), scalar.text());
        }
        return entries;
    }
}
