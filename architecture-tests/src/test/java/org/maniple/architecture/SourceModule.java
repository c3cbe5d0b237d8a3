package org.maniple.architecture;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A module of this project as it was compiled.
 *
 * @param descriptor its module-info
 * @param moduleInfo the class file that the descriptor was read from
 * @param classes its main classes
 * @param nativeAccess the modules that its plugin descriptor will grant native access to
 */
record SourceModule(ModuleDescriptor descriptor, byte[] moduleInfo, JavaClasses classes, Set<String> nativeAccess) {

    private static final Pattern NATIVE_ACCESS = Pattern.compile("<maniple\\.plugin\\.native-access>([^<]*)<");

    /** Reads {@code target/classes} of a module's folder. */
    static SourceModule read(Path folder) {
        Path classes = folder.resolve("target/classes");
        Path info = classes.resolve("module-info.class");
        if (!Files.exists(info)) {
            throw new IllegalStateException("[" + info + "] is not there: build all modules first, with mvn test at the top");
        }
        try {
            byte[] bytes = Files.readAllBytes(info);
            var descriptor = ModuleDescriptor.read(java.nio.ByteBuffer.wrap(bytes));
            return new SourceModule(descriptor, bytes, new ClassFileImporter().importPath(classes),
                    nativeAccess(Files.readString(folder.resolve("pom.xml"))));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All modules under {@code plugins/}. */
    static List<SourceModule> readPlugins(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> Files.exists(entry.resolve("pom.xml"))).sorted().map(SourceModule::read).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Set<String> nativeAccess(String pom) {
        return NATIVE_ACCESS.matcher(pom).results().flatMap(match -> Stream.of(match.group(1).split(","))).map(String::strip)
                .collect(Collectors.toSet());
    }

    String name() {
        return descriptor.name();
    }

    /** The classes that the kernel creates: they must be public, and nothing else must. */
    Set<String> providers() {
        return descriptor.provides().stream().flatMap(provides -> provides.providers().stream()).collect(Collectors.toSet());
    }

    @Override
    public String toString() {
        return name();
    }
}
