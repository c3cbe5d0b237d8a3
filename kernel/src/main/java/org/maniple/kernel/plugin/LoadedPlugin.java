package org.maniple.kernel.plugin;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.maniple.api.Extension;

/**
 * A plugin whose code has been loaded.
 *
 * @param descriptor what it says of itself
 * @param folder where it is; empty for what the kernel brings itself
 * @param layer its modules
 * @param extensions what it provides, by kind
 * @param configurationType the record of its own configuration, if it has one
 */
public record LoadedPlugin(
        PluginDescriptor descriptor,
        Optional<Path> folder,
        Optional<ModuleLayer> layer,
        List<Provided<?>> extensions,
        Optional<Class<? extends Record>> configurationType) {

    /**
     * One extension of a plugin.
     *
     * @param kind the extension point
     * @param extension the provider
     * @param <T> the extension point's interface
     */
    public record Provided<T extends Extension>(ExtensionKind<T> kind, T extension) {}

    /** Copies the list. */
    public LoadedPlugin {
        extensions = List.copyOf(extensions);
    }

    /**
     * The plugin's id.
     *
     * @return as in the descriptor
     */
    public String id() {
        return descriptor.id();
    }
}
