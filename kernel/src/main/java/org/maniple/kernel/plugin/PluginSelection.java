package org.maniple.kernel.plugin;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Which of the installed plugins are used.
 *
 * @param disabled ids that are not
 * @param only if present, the only ids that are
 */
public record PluginSelection(Set<String> disabled, Optional<Set<String>> only) {

    /** Every installed plugin. */
    public static final PluginSelection ALL = new PluginSelection(Set.of(), Optional.empty());

    /** Copies the sets. */
    public PluginSelection {
        disabled = Set.copyOf(disabled);
        only = only.map(Set::copyOf);
    }

    /**
     * Whether a plugin is used.
     *
     * @param id its id
     * @return whether it is
     */
    public boolean enabled(String id) {
        return !disabled.contains(id) && only.map(ids -> ids.contains(id)).orElse(true);
    }

    /**
     * This selection without some more plugins.
     *
     * @param more ids
     * @return a copy
     */
    public PluginSelection without(Set<String> more) {
        var all = new HashSet<>(disabled);
        all.addAll(more);
        return new PluginSelection(all, only);
    }

    /**
     * This selection narrowed to some plugins.
     *
     * @param ids the only ones
     * @return a copy
     */
    public PluginSelection restrictedTo(Set<String> ids) {
        return new PluginSelection(disabled, Optional.of(ids));
    }
}
