package org.maniple.kernel.config;

import java.util.List;
import java.util.Optional;
import org.maniple.api.HostInfo;
import org.maniple.api.config.Option;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.Parallelism;
import org.maniple.kernel.plugin.ExtensionKind;
import org.maniple.kernel.plugin.PluginCatalog;

/**
 * A configuration that does not say yet how the model is spread, and the ranks that are there. Immutable.
 *
 * @param settings what is given; the model's path is absolute
 * @param catalog the plugins
 * @param host this machine
 * @param ranksPerNode ranks on each node
 * @param notices what the user should know, a line each
 */
public record UnitWish(EffectiveSettings settings, PluginCatalog catalog, HostInfo host, List<Integer> ranksPerNode,
        List<String> notices) {

    /** Copies the lists. */
    public UnitWish {
        ranksPerNode = List.copyOf(ranksPerNode);
        notices = List.copyOf(notices);
    }

    /**
     * A mesh, or why there is none.
     *
     * @param mesh empty after a problem
     * @param problems rules that the sizes break
     */
    public record Composed(Optional<Mesh> mesh, List<String> problems) {}

    /**
     * All ranks of the unit.
     *
     * @return how many there are
     */
    public int ranks() {
        return ranksPerNode.stream().mapToInt(Integer::intValue).sum();
    }

    /**
     * The parallelisms of the enabled plugins.
     *
     * @return all of them
     */
    public List<Parallelism> parallelisms() {
        return catalog.extensions().all(ExtensionKind.PARALLELISM);
    }

    /**
     * The mesh that some settings make.
     *
     * @param sized settings with sizes
     * @return the mesh, or the rules that are broken
     */
    public Composed compose(EffectiveSettings sized) {
        var problems = new Problems();
        Optional<Mesh> mesh = MeshComposer.compose(parallelisms(), sized, problems);
        return new Composed(mesh, problems.lines());
    }

    /**
     * The same wish with other ranks.
     *
     * @param perNode ranks on each node
     * @return a copy
     */
    public UnitWish on(List<Integer> perNode) {
        return new UnitWish(settings, catalog, host, perNode, notices);
    }

    /**
     * The same wish without some decisions of the user.
     *
     * @param keys keys; those that have no default stay as they are
     * @return a copy
     */
    public UnitWish without(List<String> keys) {
        EffectiveSettings open = settings;
        for (Option option : settings.options()) {
            if (keys.contains(option.key()) && option.defaultValue().isPresent()) {
                open = open.leftOpen(option.key());
            }
        }
        return new UnitWish(open, catalog, host, ranksPerNode, notices);
    }
}
