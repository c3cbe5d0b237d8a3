package org.maniple.kernel.plugin;

import java.lang.module.Configuration;
import java.lang.module.FindException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.lang.module.ResolutionException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.maniple.api.ApiVersion;

/**
 * Gives one plugin folder a module layer of its own. The folder's modules win over modules of the same name in the parent layers, so
 * that every plugin has the library versions that it was built with.
 */
final class LayerBuilder {

    private static final String REINSTALL = "remove the folder and install the plugin again";

    private final PluginDescriptor descriptor;
    private final Path folder;
    private final ModuleFinder finder;

    LayerBuilder(PluginDescriptor descriptor, Path folder) {
        this.descriptor = descriptor;
        this.folder = folder;
        this.finder = ModuleFinder.of(folder);
    }

    /** Opens the folder's jars, which {@link #build} finds again. Of several plugins, by several threads; what is wrong with one is told later. */
    void look() {
        try {
            finder.findAll();
        } catch (FindException e) {
            // build() finds it again
        }
    }

    /** Refuses a plugin that was made for another API or a later Java. */
    void checkVersions(ApiVersion api, int java) {
        if (!descriptor.apiRange().contains(api)) {
            throw failure(
                    descriptor.version() + " was built for kernel-api " + descriptor.api() + " but this kernel provides " + api,
                    "install a " + descriptor.id() + " built for " + api.major() + ".x");
        }
        if (descriptor.java() > java) {
            throw failure(descriptor.version() + " needs Java " + descriptor.java() + " but this is Java " + java,
                    "run Maniple on Java " + descriptor.java() + ", or install a " + descriptor.id() + " built for Java " + java);
        }
    }

    ModuleLayer.Controller build(List<ModuleLayer> parents) {
        Set<ModuleReference> found = find();
        found.forEach(this::refuseCopyOfApi);
        refuseSplitPackages(found);
        Set<String> names = found.stream().map(module -> module.descriptor().name())
                .collect(Collectors.toCollection(TreeSet::new));
        if (!names.contains(descriptor.module())) {
            throw failure("the descriptor names module [" + descriptor.module() + "] but the folder has " + names,
                    "correct [module] in " + PluginDescriptor.FILE + ", or add the jar");
        }
        for (String module : descriptor.nativeAccess()) {
            if (!names.contains(module)) {
                throw failure("native-access names module [" + module + "] but the folder has " + names,
                        "correct [native-access] in " + PluginDescriptor.FILE);
            }
        }
        return define(resolve(parents, names), parents);
    }

    private Set<ModuleReference> find() {
        try {
            return finder.findAll();
        } catch (FindException e) {
            String reason = e.getMessage();
            throw failure(reason + (e.getCause() == null ? "" : ": " + e.getCause().getMessage()),
                    "leave one modular jar of each library in the folder", e);
        }
    }

    private void refuseCopyOfApi(ModuleReference reference) {
        ModuleDescriptor module = reference.descriptor();
        Set<String> shared = ownPackages();
        boolean copy = Set.of(PluginCatalog.API_MODULE, PluginCatalog.KERNEL_MODULE, "org.jspecify").contains(module.name())
                || module.packages().stream().anyMatch(shared::contains);
        if (copy) {
            throw failure("it brings a copy of what the kernel provides: module [" + module.name() + "] in " + jar(reference),
                    "remove that jar: in the plugin's POM the dependency must have scope [provided]");
        }
    }

    /** The loader of a layer cannot have a package twice, even if nobody sees both. */
    private void refuseSplitPackages(Set<ModuleReference> found) {
        var owners = new TreeMap<String, String>();
        found.stream().sorted(Comparator.comparing(LayerBuilder::jar)).forEach(reference -> {
            for (String name : new TreeSet<>(reference.descriptor().packages())) {
                String other = owners.put(name, jar(reference));
                if (other != null) {
                    throw failure("package [" + name + "] is both in " + other + " and in " + jar(reference),
                            "leave one of the two jars in the folder");
                }
            }
        });
    }

    private static String jar(ModuleReference reference) {
        return reference.location().map(uri -> Path.of(uri).getFileName().toString()).orElse(reference.descriptor().name());
    }

    private static Set<String> ownPackages() {
        Module api = ApiVersion.class.getModule();
        return api.isNamed() ? api.getPackages() : Set.of(ApiVersion.class.getPackageName());
    }

    private Configuration resolve(List<ModuleLayer> parents, Set<String> roots) {
        try {
            var configurations = parents.stream().map(ModuleLayer::configuration).toList();
            return Configuration.resolve(finder, configurations, ModuleFinder.of(), roots);
        } catch (FindException e) {
            throw failure(String.valueOf(e.getMessage()),
                    "add the jar of the missing module to the folder; a module of the JDK must be in the"
                            + " kernel's boot layer, and a module of another plugin needs that plugin's id in [requires]",
                    e);
        } catch (ResolutionException e) {
            throw failure(String.valueOf(e.getMessage()),
                    "no two modules that see each other may have a package in common: leave one of the jars out", e);
        }
    }

    private ModuleLayer.Controller define(Configuration configuration, List<ModuleLayer> parents) {
        ModuleLayer.Controller controller;
        try {
            // The platform loader as parent hides the kernel's libraries from the plugin's.
            controller = ModuleLayer.defineModulesWithOneLoader(configuration, parents, ClassLoader.getPlatformClassLoader());
        } catch (LayerInstantiationException | LinkageError e) {
            throw failure(String.valueOf(e.getMessage()), REINSTALL, e);
        }
        for (String name : descriptor.nativeAccess()) {
            grantNativeAccess(controller, name);
        }
        return controller;
    }

    private void grantNativeAccess(ModuleLayer.Controller controller, String module) {
        try {
            controller.enableNativeAccess(controller.layer().findModule(module).orElseThrow());
        } catch (IllegalCallerException e) {
            throw failure(
                    "its module [" + module + "] calls native code, which this Java process does not allow the kernel to grant",
                    "start with bin/maniple, or give java --enable-native-access=" + PluginCatalog.KERNEL_MODULE, e);
        }
    }

    PluginException failure(String reason, String remedy) {
        return new PluginException(descriptor.id(), folder, reason, remedy);
    }

    PluginException failure(String reason, String remedy, Throwable cause) {
        return new PluginException(descriptor.id(), folder, reason, remedy, cause);
    }
}
