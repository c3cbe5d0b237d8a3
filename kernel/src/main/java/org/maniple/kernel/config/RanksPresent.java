package org.maniple.kernel.config;

import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Finds the ranks of a unit where they do not follow from the sizes of a mesh. */
final class RanksPresent {

    private RanksPresent() {}

    /** Ranks on each node; empty after a problem. */
    static Optional<List<Integer>> find(EffectiveSettings settings, Platform platform, Problems problems) {
        int nodes = settings.has(KernelOptions.NNODES) ? settings.integer(KernelOptions.NNODES) : 1;
        List<Integer> listed = settings.integers(KernelOptions.RANKS_PER_NODE);
        if (listed.size() == 1) {
            return Optional.of(Collections.nCopies(nodes, listed.getFirst()));
        }
        if (listed.size() == nodes) {
            return Optional.of(listed);
        }
        if (!listed.isEmpty()) {
            problems.add(settings.source(KernelOptions.RANKS_PER_NODE), KernelOptions.RANKS_PER_NODE,
                    listed + " has " + listed.size() + " entries for nnodes " + nodes
                            + "; give one number for all nodes, or one for each");
            return Optional.empty();
        }
        if (platform.processes().isPresent() && platform.processes().getAsInt() % nodes == 0) {
            return Optional.of(Collections.nCopies(nodes, platform.processes().getAsInt() / nodes));
        }
        problems.add("", KernelOptions.RANKS_PER_NODE, "nothing says how many ranks there are to spread the model over; give the"
                + " number of ranks (devices) of each node, for example --ranks-per-node 8");
        return Optional.empty();
    }
}
