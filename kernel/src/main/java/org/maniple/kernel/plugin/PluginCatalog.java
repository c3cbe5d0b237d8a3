package org.maniple.kernel.plugin;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.maniple.api.ApiVersion;
import org.maniple.api.ManipleException;
import org.maniple.kernel.plugin.LoadedPlugin.Provided;

/**
 * The plugins of an installation: those that were loaded, those that are disabled, and why others could not be loaded. Immutable; a
 * broken plugin never prevents the others from being found.
 *
 * @param plugins loaded ones, those that others require first; the kernel's own extensions come first as a plugin named kernel
 * @param disabled descriptors of those that are not used
 * @param failures what is wrong with the others
 */
public record PluginCatalog(List<LoadedPlugin> plugins, List<PluginDescriptor> disabled, List<PluginException> failures) {

    /** The id under which the kernel's own extensions are listed. */
    public static final String KERNEL = "kernel";

    static final String API_MODULE = "org.maniple.api";
    static final String KERNEL_MODULE = "org.maniple.kernel";

    /** Copies the lists. */
    public PluginCatalog {
        plugins = List.copyOf(plugins);
        disabled = List.copyOf(disabled);
        failures = List.copyOf(failures);
    }

    /**
     * Loads the plugins of a folder.
     *
     * @param folder with one folder for each plugin
     * @param builtIn the kernel's own extensions; see {@link KernelExtensions}
     * @param selection which plugins are used
     * @return the catalog
     * @throws ManipleException if the folder cannot be read
     */
    public static PluginCatalog scan(Path folder, LoadedPlugin builtIn, PluginSelection selection) {
        return scan(folder, builtIn, selection, ApiVersion.CURRENT, Runtime.version().feature());
    }

    static PluginCatalog scan(Path folder, LoadedPlugin builtIn, PluginSelection selection, ApiVersion api, int java) {
        var failures = new ArrayList<PluginException>();
        var disabled = new ArrayList<PluginDescriptor>();
        var folders = new HashMap<String, Path>();
        var enabled = new ArrayList<PluginDescriptor>();
        for (Path candidate : candidates(folder)) {
            try {
                var descriptor = describe(candidate);
                folders.put(descriptor.id(), candidate);
                (selection.enabled(descriptor.id()) ? enabled : disabled).add(descriptor);
            } catch (PluginException e) {
                failures.add(e);
            }
        }
        var builders = new HashMap<String, LayerBuilder>();
        for (PluginDescriptor descriptor : enabled) {
            builders.put(descriptor.id(),
                    new LayerBuilder(descriptor, Objects.requireNonNull(folders.get(descriptor.id()))));
        }
        builders.values().parallelStream().forEach(LayerBuilder::look);
        var order = new PluginOrder(enabled, disabled, folders);
        var loaded = new LinkedHashMap<String, LoadedPlugin>();
        for (PluginDescriptor descriptor : order.sorted()) {
            try {
                order.check(descriptor, loaded.keySet());
                var plugin = load(descriptor, Objects.requireNonNull(folders.get(descriptor.id())),
                        Objects.requireNonNull(builders.get(descriptor.id())), loaded, api, java);
                refuseDuplicates(plugin, builtIn, loaded);
                loaded.put(plugin.id(), plugin);
            } catch (PluginException e) {
                failures.add(e);
            }
        }
        var plugins = new ArrayList<LoadedPlugin>();
        plugins.add(builtIn);
        plugins.addAll(loaded.values());
        return new PluginCatalog(plugins, disabled, failures);
    }

    private static List<Path> candidates(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> !entry.getFileName().toString().startsWith("."))
                    .filter(entry -> Files.isDirectory(entry) || entry.toString().endsWith(".jar")
                            || entry.toString().endsWith(".zip"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new ManipleException("the plugins folder [" + folder + "] cannot be read (" + e.getClass().getSimpleName()
                    + "); an installation has it beside bin/, or name another with -Dmaniple.plugins=FOLDER", e);
        }
    }

    private static PluginDescriptor describe(Path candidate) {
        if (!Files.isDirectory(candidate)) {
            throw new PluginException(candidate.getFileName().toString(), candidate, "it is a file",
                    "a plugin is a folder with jars and a " + PluginDescriptor.FILE + ": unpack the plugin's zip here");
        }
        return PluginDescriptor.read(candidate);
    }

    private static LoadedPlugin load(
            PluginDescriptor descriptor, Path folder, LayerBuilder builder, Map<String, LoadedPlugin> loaded, ApiVersion api,
            int java) {
        builder.checkVersions(api, java);
        var parents = new ArrayList<ModuleLayer>();
        descriptor.requires().forEach(id -> parents.add(Objects.requireNonNull(loaded.get(id)).layer().orElseThrow()));
        parents.add(kernelLayer());
        var controller = builder.build(parents);
        var providers = new ProviderLoader(builder, controller);
        var extensions = providers.extensions();
        var configuration = providers.configurationType();
        if (extensions.isEmpty() && !exportsPackages(controller.layer(), descriptor.module())) {
            throw builder.failure("its modules provide no extension and export nothing",
                    "module [" + descriptor.module() + "] needs a line such as"
                            + " [provides org.maniple.api.transport.Transport with …] in its module-info.java");
        }
        return new LoadedPlugin(descriptor, Optional.of(folder), Optional.of(controller.layer()), extensions, configuration);
    }

    private static ModuleLayer kernelLayer() {
        ModuleLayer layer = PluginCatalog.class.getModule().getLayer();
        return layer == null ? ModuleLayer.boot() : layer;
    }

    private static boolean exportsPackages(ModuleLayer layer, String module) {
        return layer.findModule(module).orElseThrow().getDescriptor().exports().stream()
                .anyMatch(export -> !export.isQualified());
    }

    private static void refuseDuplicates(LoadedPlugin plugin, LoadedPlugin builtIn, Map<String, LoadedPlugin> loaded) {
        var names = new HashMap<String, String>();
        Stream.concat(Stream.of(builtIn), loaded.values().stream())
                .forEach(other -> other.extensions().forEach(provided -> names.put(key(provided), other.id())));
        for (Provided<?> provided : plugin.extensions()) {
            String other = names.put(key(provided), plugin.id());
            if (other != null) {
                throw new PluginException(plugin.id(), plugin.folder().orElseThrow(),
                        provided.kind() + " [" + provided.extension().name() + "] is provided both by plugin [" + other
                                + "] and by plugin [" + plugin.id() + "]",
                        "keep one of them: maniple plugins disable " + plugin.id());
            }
        }
    }

    private static String key(Provided<?> provided) {
        return provided.kind() + " " + provided.extension().name();
    }

    /**
     * The extensions of all loaded plugins.
     *
     * @return for look-ups by kind and name
     */
    public Extensions extensions() {
        return new Extensions(this);
    }

    /**
     * A loaded plugin.
     *
     * @param id its id
     * @return the plugin, if one of that id is loaded
     */
    public Optional<LoadedPlugin> plugin(String id) {
        return plugins.stream().filter(plugin -> plugin.id().equals(id)).findFirst();
    }
}
