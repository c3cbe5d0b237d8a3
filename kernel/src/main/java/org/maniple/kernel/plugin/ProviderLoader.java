package org.maniple.kernel.plugin;

import java.lang.module.ModuleDescriptor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.maniple.api.Extension;
import org.maniple.api.Plugin;
import org.maniple.kernel.plugin.LoadedPlugin.Provided;
import tools.jackson.databind.ObjectMapper;

/** Finds the providers in a plugin's layer, and nowhere else, and creates them. */
final class ProviderLoader {

    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]*([-_][a-z0-9]+)*");

    private final LayerBuilder plugin;
    private final ModuleLayer.Controller controller;
    private final ModuleLayer layer;
    /** What the layer's own modules have providers of: to look for any others takes long. */
    private final Set<String> services;

    ProviderLoader(LayerBuilder plugin, ModuleLayer.Controller controller) {
        this.plugin = plugin;
        this.controller = controller;
        this.layer = controller.layer();
        this.services = layer.modules().stream().flatMap(module -> module.getDescriptor().provides().stream())
                .map(ModuleDescriptor.Provides::service).collect(Collectors.toSet());
    }

    List<Provided<?>> extensions() {
        var provided = new ArrayList<Provided<?>>();
        for (ExtensionKind<?> kind : ExtensionKind.ALL) {
            collect(kind, provided);
        }
        return provided;
    }

    private <T extends Extension> void collect(ExtensionKind<T> kind, List<Provided<?>> into) {
        for (T extension : instances(kind.type())) {
            into.add(new Provided<>(kind, checked(kind, extension)));
        }
    }

    private <T extends Extension> T checked(ExtensionKind<T> kind, T extension) {
        String provider = extension.getClass().getName();
        String name;
        try {
            name = extension.name();
            extension.options();
        } catch (RuntimeException | LinkageError e) {
            throw plugin.failure(kind + " provider [" + provider + "] fails when asked for its name and options: " + e,
                    "report this to the plugin's author", e);
        }
        if (name == null || !NAME.matcher(name).matches() || name.equals("auto")) {
            throw plugin.failure(kind + " provider [" + provider + "] has the name [" + name + "]",
                    "a name must be lower-case kebab, and not [auto]: report this to the plugin's author");
        }
        return extension;
    }

    /** The record of the plugin's configuration; its package is opened to Jackson, which binds it. */
    Optional<Class<? extends Record>> configurationType() {
        List<Plugin> plugins = instances(Plugin.class);
        if (plugins.isEmpty()) {
            return Optional.empty();
        }
        Class<? extends Record> type = plugins.getFirst().configurationType();
        if (plugins.size() > 1 || type.getModule().getLayer() != layer) {
            throw plugin.failure("it must provide " + Plugin.class.getName() + " once, with a record of its own module",
                    "report this to the plugin's author");
        }
        controller.addOpens(type.getModule(), type.getPackageName(), ObjectMapper.class.getModule());
        return Optional.of(type);
    }

    private <T> List<T> instances(Class<T> service) {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try {
            var instances = new ArrayList<T>();
            for (ServiceLoader.Provider<T> provider : providers(service)) {
                thread.setContextClassLoader(provider.type().getClassLoader());
                instances.add(provider.get());
            }
            return instances;
        } catch (ServiceConfigurationError | LinkageError e) {
            throw plugin.failure(describe(e), "report this to the plugin's author", e);
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    /** A layer's service loader also finds the providers of the parent layers: those belong to other plugins. */
    private <T> List<ServiceLoader.Provider<T>> providers(Class<T> service) {
        if (!services.contains(service.getName())) {
            return List.of();
        }
        try (Stream<ServiceLoader.Provider<T>> all = ServiceLoader.load(layer, service).stream()) {
            return all.filter(provider -> provider.type().getModule().getLayer() == layer).toList();
        }
    }

    private static String describe(Throwable error) {
        var text = new StringBuilder(
                String.valueOf(error.getMessage() == null ? error.getClass().getName() : error.getMessage()));
        for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
            text.append(": ").append(cause);
        }
        return text.toString();
    }
}
