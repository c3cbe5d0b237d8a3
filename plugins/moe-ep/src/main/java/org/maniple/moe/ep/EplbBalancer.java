package org.maniple.moe.ep;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.maniple.api.mesh.ExpertBalancer;
import org.maniple.api.mesh.ExpertPlacement;
import org.maniple.api.mesh.SplitException;

/**
 * DeepSeek's load balancer of experts.
 *
 * @param schedule when to rebalance
 * @param algorithm whether to keep groups of experts together
 */
record EplbBalancer(Schedule schedule, Algorithm algorithm) implements ExpertBalancer {

    /** Whether the experts of a group of the router stay on one node. */
    enum Algorithm {
        /** They do, if the groups can be dealt evenly to the nodes. */
        AUTO,
        /** They do. */
        HIERARCHICAL,
        /** They need not. */
        GLOBAL
    }

    @Override
    public void check(int experts, int replicas, int parts, int groups, int nodes) {
        if (replicas % parts != 0) {
            throw new SplitException(ExpertParallelism.REDUNDANT, Placing.uneven(experts, replicas - experts, parts));
        }
        if (algorithm == Algorithm.HIERARCHICAL && !fitsNodes(experts, parts, groups, nodes)) {
            throw new SplitException(EplbOptions.ALGORITHM,
                    "[hierarchical] needs groups of experts that can be dealt evenly to nodes, but "
                            + experts + " experts in " + groups + " groups on " + parts + " ranks cannot be dealt to " + nodes
                            + " nodes; use auto or global");
        }
    }

    @Override
    public ExpertPlacement rebalance(int layer, double[] loads, ExpertPlacement current, int groups, int nodes) {
        int experts = current.experts();
        int parts = current.parts();
        int replicas = IntStream.range(0, parts).map(current::slots).sum();
        check(experts, replicas, parts, groups, nodes);
        boolean keepGroups = algorithm != Algorithm.GLOBAL && fitsNodes(experts, parts, groups, nodes);
        int[] planned = Eplb.rebalance(loads, replicas, keepGroups ? groups : 1, keepGroups ? nodes : 1, parts);
        int each = replicas / parts;
        var ranks = new ArrayList<List<Integer>>();
        for (int part = 0; part < parts; part++) {
            ranks.add(keptInPlace(current, part,
                    IntStream.range(part * each, (part + 1) * each).map(i -> planned[i]).boxed().toList()));
        }
        var placement = new ExpertPlacement(experts, ranks);
        return placement.balancedness(loads) > current.balancedness(loads) ? placement : current;
    }

    private static boolean fitsNodes(int experts, int parts, int groups, int nodes) {
        return parts % nodes == 0 && experts % groups == 0 && groups % nodes == 0;
    }

    /** The rank's experts in an order in which those that it has already are in the same slots. */
    private static List<Integer> keptInPlace(ExpertPlacement current, int part, List<Integer> wanted) {
        var coming = new ArrayList<>(wanted);
        var slots = new ArrayList<Integer>(Collections.nCopies(wanted.size(), -1));
        for (int slot = 0; slot < slots.size(); slot++) {
            Integer now = current.expert(part, slot);
            if (coming.remove((Object) now)) {
                slots.set(slot, now);
            }
        }
        for (int slot = 0; slot < slots.size(); slot++) {
            if (slots.get(slot) < 0) {
                slots.set(slot, coming.removeFirst());
            }
        }
        return slots;
    }
}
