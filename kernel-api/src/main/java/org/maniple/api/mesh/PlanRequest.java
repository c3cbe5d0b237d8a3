package org.maniple.api.mesh;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.maniple.api.graph.Axis;

/**
 * What a planner tells parallelisms when it looks for ways of spreading a model.
 *
 * @param nodes machines of the unit
 * @param ranks ranks of the unit, on all nodes together
 * @param axes the axes of the model's weights, each with its largest extent, and {@link org.maniple.api.graph.Axes#LAYERS} with the number of
 *     blocks
 */
public record PlanRequest(int nodes, int ranks, Map<Axis, Integer> axes) {

    /** Copies the map. */
    public PlanRequest {
        axes = Map.copyOf(axes);
    }

    /**
     * Whether the model has an axis.
     *
     * @param axis any axis
     * @return whether it has
     */
    public boolean has(Axis axis) {
        return axes.containsKey(axis);
    }

    /**
     * The sizes that a dimension of the mesh can have, so that sizes of others can make up the ranks of the unit.
     *
     * @return the divisors of {@link #ranks}, ascending
     */
    public List<Integer> sizes() {
        var sizes = new ArrayList<Integer>();
        for (int size = 1; size <= ranks; size++) {
            if (ranks % size == 0) {
                sizes.add(size);
            }
        }
        return sizes;
    }
}
