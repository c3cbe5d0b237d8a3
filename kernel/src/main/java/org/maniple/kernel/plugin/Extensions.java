package org.maniple.kernel.plugin;

import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.maniple.api.Availability;
import org.maniple.api.Extension;
import org.maniple.api.HostInfo;
import org.maniple.api.ManipleException;
import org.maniple.kernel.plugin.LoadedPlugin.Provided;

/** The extensions of all loaded plugins, by kind and name. Immutable. */
public final class Extensions {

    /** The word in a configuration that leaves the choice to the scores. */
    public static final String AUTO = "auto";

    private final PluginCatalog catalog;

    Extensions(PluginCatalog catalog) {
        this.catalog = catalog;
    }

    /**
     * All extensions of a kind.
     *
     * @param kind the extension point
     * @param <T> its interface
     * @return in the order of their plugins
     */
    public <T extends Extension> List<T> all(ExtensionKind<T> kind) {
        return catalog.plugins().stream()
                .flatMap(plugin -> plugin.extensions().stream())
                .filter(provided -> provided.kind().equals(kind))
                .map(Provided::extension)
                .map(kind.type()::cast)
                .toList();
    }

    /**
     * The plugin that an extension belongs to.
     *
     * @param extension one of {@link #all}
     * @return its plugin
     */
    public LoadedPlugin pluginOf(Extension extension) {
        return catalog.plugins().stream()
                .filter(plugin -> plugin.extensions().stream().anyMatch(provided -> provided.extension().equals(extension)))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no plugin provides " + extension));
    }

    /**
     * The extension that a configuration asks for.
     *
     * @param kind the extension point
     * @param name its name, or {@code auto} for the one with the highest score on this host
     * @param host this host
     * @param <T> the extension point's interface
     * @return an extension that is available on this host
     * @throws ManipleException if there is none of that name, it is not available, or {@code auto} is ambiguous
     */
    public <T extends Extension> T choose(ExtensionKind<T> kind, String name, HostInfo host) {
        return choose(kind, name, host, extension -> true);
    }

    /**
     * As the other method, but {@code auto} chooses among suitable extensions only.
     *
     * @param kind the extension point
     * @param name its name, or {@code auto}
     * @param host this host
     * @param suitable what {@code auto} may choose
     * @param <T> the extension point's interface
     * @return an extension that is available on this host
     * @throws ManipleException if there is none of that name, it is not available, or {@code auto} is ambiguous
     */
    public <T extends Extension> T choose(ExtensionKind<T> kind, String name, HostInfo host, Predicate<T> suitable) {
        return name.equals(AUTO) ? best(kind, host, suitable) : named(kind, name, host);
    }

    private <T extends Extension> T named(ExtensionKind<T> kind, String name, HostInfo host) {
        List<String> installed = names(all(kind));
        T found = all(kind).stream().filter(extension -> extension.name().equals(name)).findFirst().orElseThrow(
                () -> new ManipleException(kind + " [" + name + "] is not installed; installed: " + installed
                        + "; available on this host: " + available(kind, host) + disabledPlugins()
                        + NearestName.hint(name, installed)));
        if (probe(found, host) instanceof Availability.Unavailable(var reason)) {
            throw new ManipleException(kind + " [" + name + "] cannot work on this host: " + reason
                    + "; available on this host: " + available(kind, host));
        }
        return found;
    }

    private <T extends Extension> T best(ExtensionKind<T> kind, HostInfo host, Predicate<T> suitable) {
        List<T> ordered = all(kind).stream()
                .filter(suitable)
                .filter(extension -> score(extension, host).isPresent())
                .sorted((a, b) -> Integer.compare(score(b, host).orElseThrow(), score(a, host).orElseThrow()))
                .toList();
        if (ordered.isEmpty()) {
            var reasons = new StringBuilder();
            for (T extension : all(kind)) {
                if (probe(extension, host) instanceof Availability.Unavailable(var reason)) {
                    reasons.append("; [").append(extension.name()).append("] cannot work: ").append(reason);
                }
            }
            List<String> unsuitable = names(all(kind).stream().filter(suitable.negate()).toList());
            throw new ManipleException(
                    kind + " [auto]: nothing is available on this host; installed: " + names(all(kind)) + reasons
                            + (unsuitable.isEmpty() ? "" : "; not suitable for this unit: " + unsuitable) + disabledPlugins());
        }
        int highest = score(ordered.getFirst(), host).orElseThrow();
        List<String> tied = names(ordered.stream().filter(extension -> score(extension, host).orElseThrow() == highest).toList());
        if (tied.size() > 1) {
            throw new ManipleException(
                    kind + " [auto]: " + tied + " have the same score " + highest + " on this host; name one of them");
        }
        return ordered.getFirst();
    }

    private String disabledPlugins() {
        var ids = catalog.disabled().stream().map(PluginDescriptor::id).toList();
        return ids.isEmpty() ? "" : "; disabled plugins: " + ids;
    }

    private List<String> available(ExtensionKind<?> kind, HostInfo host) {
        return names(all(kind).stream().filter(extension -> score(extension, host).isPresent()).toList());
    }

    private static Optional<Integer> score(Extension extension, HostInfo host) {
        return probe(extension, host) instanceof Availability.Available(int score) ? Optional.of(score) : Optional.empty();
    }

    /**
     * Asks an extension whether it can work; a probe that fails counts as an answer too.
     *
     * @param extension any extension
     * @param host this host
     * @return its answer
     */
    public static Availability probe(Extension extension, HostInfo host) {
        try {
            return extension.availability(host);
        } catch (RuntimeException | LinkageError e) {
            return Availability.unavailable("its probe failed: " + e);
        }
    }

    private static List<String> names(List<? extends Extension> extensions) {
        var names = new TreeSet<String>();
        extensions.forEach(extension -> names.add(extension.name()));
        return List.copyOf(names);
    }
}
