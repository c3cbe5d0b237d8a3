package org.maniple.kernel.program;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.maniple.api.graph.Axis;

/**
 * How a value lies on the mesh: a {@link Placement} for each dimension that the compiler places over, in the mesh's order.
 *
 * @param placements one for each dimension
 */
public record Layout(List<Placement> placements) {

    /** Copies the list. */
    public Layout {
        placements = List.copyOf(placements);
    }

    static Layout whole(int dimensions) {
        return new Layout(java.util.Collections.nCopies(dimensions, Placement.WHOLE));
    }

    Placement at(int dimension) {
        return placements.get(dimension);
    }

    Layout with(int dimension, Placement placement) {
        var copy = new ArrayList<>(placements);
        copy.set(dimension, placement);
        return new Layout(copy);
    }

    boolean partial() {
        return placements.stream().anyMatch(Placement.Partial.class::isInstance);
    }

    /**
     * The dimensions over which an axis is split.
     *
     * @param axis any axis
     * @return ascending, as the compiler counts dimensions
     */
    public List<Integer> splitting(Axis axis) {
        var dimensions = new ArrayList<Integer>();
        for (int i = 0; i < placements.size(); i++) {
            if (placements.get(i) instanceof Placement.Split split && split.axis().equals(axis)) {
                dimensions.add(i);
            }
        }
        return dimensions;
    }

    /** For example {@code S(TOKENS),R}; {@code R} on a mesh that nothing is placed over. */
    @Override
    public String toString() {
        return placements.isEmpty() ? "R" : placements.stream().map(Placement::toString).collect(Collectors.joining(","));
    }
}
