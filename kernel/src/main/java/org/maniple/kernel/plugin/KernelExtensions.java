package org.maniple.kernel.plugin;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import org.maniple.api.ApiVersion;
import org.maniple.api.Extension;
import org.maniple.kernel.plugin.LoadedPlugin.Provided;

/** What the kernel's own module provides, in the form of a plugin. */
public final class KernelExtensions {

    private KernelExtensions() {}

    /**
     * Finds the extensions that the kernel's module declaration provides.
     *
     * @return a plugin named kernel
     */
    public static LoadedPlugin find() {
        var provided = new ArrayList<Provided<?>>();
        for (ExtensionKind<?> kind : ExtensionKind.ALL) {
            collect(kind, provided);
        }
        return of(provided);
    }

    /** A plugin named kernel with the given extensions. */
    static LoadedPlugin of(List<Provided<?>> provided) {
        var descriptor = new PluginDescriptor(PluginCatalog.KERNEL, version(), ApiVersion.CURRENT.toString(),
                Runtime.version().feature(), PluginCatalog.KERNEL_MODULE, List.of(), List.of(), "what the kernel brings itself");
        return new LoadedPlugin(descriptor, Optional.empty(), Optional.empty(), provided, Optional.empty());
    }

    /**
     * The kernel's version.
     *
     * @return as its module states it
     */
    public static String version() {
        var descriptor = KernelExtensions.class.getModule().getDescriptor();
        return descriptor == null ? "development" : descriptor.rawVersion().orElse("development");
    }

    private static <T extends Extension> void collect(ExtensionKind<T> kind, List<Provided<?>> into) {
        Module kernel = KernelExtensions.class.getModule();
        if (kernel.getLayer() == null) {
            return;
        }
        ServiceLoader.load(kernel.getLayer(), kind.type()).stream()
                .filter(provider -> provider.type().getModule() == kernel)
                .forEach(provider -> into.add(new Provided<>(kind, provider.get())));
    }
}
