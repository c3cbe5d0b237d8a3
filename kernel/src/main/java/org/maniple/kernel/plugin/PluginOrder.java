package org.maniple.kernel.plugin;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Puts plugins behind those that they require. */
final class PluginOrder {

    private final Map<String, PluginDescriptor> enabled = new LinkedHashMap<>();
    private final Set<String> disabled = new LinkedHashSet<>();
    private final Map<String, Path> folders;

    PluginOrder(List<PluginDescriptor> enabled, List<PluginDescriptor> disabled, Map<String, Path> folders) {
        enabled.forEach(descriptor -> this.enabled.put(descriptor.id(), descriptor));
        disabled.forEach(descriptor -> this.disabled.add(descriptor.id()));
        this.folders = folders;
    }

    /** All enabled plugins; those in a cycle come in any order. */
    List<PluginDescriptor> sorted() {
        var sorted = new LinkedHashSet<PluginDescriptor>();
        var visited = new LinkedHashSet<String>();
        enabled.values().forEach(descriptor -> visit(descriptor, visited, sorted));
        return List.copyOf(sorted);
    }

    private void visit(PluginDescriptor descriptor, Set<String> visited, Set<PluginDescriptor> sorted) {
        if (visited.add(descriptor.id())) {
            for (String id : descriptor.requires()) {
                if (enabled.containsKey(id)) {
                    visit(enabled.get(id), visited, sorted);
                }
            }
            sorted.add(descriptor);
        }
    }

    /** Insists that what a plugin requires has been loaded before it. */
    void check(PluginDescriptor descriptor, Set<String> loaded) {
        List<String> cycle = cycle(descriptor.id());
        if (!cycle.isEmpty()) {
            throw failure(descriptor, "plugins require each other in a circle: " + String.join(" -> ", cycle),
                    "remove one of these from [requires]");
        }
        for (String id : descriptor.requires()) {
            if (loaded.contains(id)) {
                continue;
            }
            if (disabled.contains(id)) {
                throw failure(descriptor, "it requires plugin [" + id + "], which is disabled",
                        "maniple plugins enable " + id + ", or disable " + descriptor.id() + " too");
            }
            if (enabled.containsKey(id)) {
                throw failure(descriptor, "it requires plugin [" + id + "], which could not be loaded", "see there");
            }
            throw failure(descriptor, "it requires plugin [" + id + "], which is not installed; installed: "
                    + folders.keySet().stream().sorted().toList() + NearestName.hint(id, folders.keySet()),
                    "install " + id + " beside it");
        }
    }

    /** The way from a plugin back to itself, empty if there is none. */
    private List<String> cycle(String id) {
        var path = new ArrayList<String>();
        path.add(id);
        return leadsBack(id, id, path, new LinkedHashSet<>()) ? path : List.of();
    }

    private boolean leadsBack(String at, String goal, List<String> path, Set<String> seen) {
        for (String next : Objects.requireNonNull(enabled.get(at)).requires()) {
            if (next.equals(goal)) {
                path.add(next);
                return true;
            }
            if (enabled.containsKey(next) && seen.add(next)) {
                path.add(next);
                if (leadsBack(next, goal, path, seen)) {
                    return true;
                }
                path.removeLast();
            }
        }
        return false;
    }

    private PluginException failure(PluginDescriptor descriptor, String reason, String remedy) {
        return new PluginException(descriptor.id(), Objects.requireNonNull(folders.get(descriptor.id())), reason, remedy);
    }
}
