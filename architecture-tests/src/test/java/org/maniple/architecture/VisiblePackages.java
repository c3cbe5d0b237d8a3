package org.maniple.architecture;

import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Which packages a module may see: its own, and those of the modules that it requires, as far as plugins may require them. */
final class VisiblePackages {

    private static final String API = "org.maniple.api";

    private final ModuleFinder libraries = ModuleFinder.compose(ModuleFinder.ofSystem(), ModuleFinder.of(modularJars()));

    /** The packages of the JDK, of the API and of the declared libraries; nothing else of this project. */
    Set<String> ofPlugin(SourceModule plugin) {
        var packages = new HashSet<>(plugin.classes().stream().map(type -> type.getPackageName()).collect(Collectors.toSet()));
        packages.add("");
        packages.addAll(find("java.base").orElseThrow().packages());
        var seen = new HashSet<String>();
        plugin.descriptor().requires().forEach(requires -> addTo(packages, seen, requires));
        return packages;
    }

    private void addTo(Set<String> packages, Set<String> seen, Requires requires) {
        boolean ofProject = requires.name().startsWith("org.maniple.");
        if (ofProject && !requires.name().equals(API) || !seen.add(requires.name())) {
            return;
        }
        find(requires.name()).ifPresent(module -> {
            packages.addAll(module.packages());
            module.requires().stream().filter(next -> next.modifiers().contains(Requires.Modifier.TRANSITIVE))
                    .forEach(next -> addTo(packages, seen, next));
        });
    }

    private Optional<ModuleDescriptor> find(String module) {
        return libraries.find(module).map(reference -> reference.descriptor());
    }

    /** The jars and folders of the class path that say which module they are. */
    private static Path[] modularJars() {
        return Arrays.stream(System.getProperty("java.class.path").split(System.getProperty("path.separator"))).map(Path::of)
                .filter(Files::exists).filter(VisiblePackages::declaresModule).toArray(Path[]::new);
    }

    private static boolean declaresModule(Path entry) {
        try {
            return ModuleFinder.of(entry).findAll().stream().anyMatch(module -> !module.descriptor().isAutomatic());
        } catch (java.lang.module.FindException e) {
            return false;
        }
    }
}
