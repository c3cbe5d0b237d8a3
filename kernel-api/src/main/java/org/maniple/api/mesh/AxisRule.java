package org.maniple.api.mesh;

import java.util.List;
import org.maniple.api.graph.Axis;

/**
 * An axis is split over some dimensions of the mesh. On a tensor with several split axes a later rule goes first, and an axis takes
 * its dimensions only if all of them are still free on that tensor.
 *
 * @param axis what is split; axes derived from it follow. {@link org.maniple.api.graph.Axes#LAYERS} cuts the model into stages
 * @param over the dimensions, the outermost first
 * @param splitter which part has which units
 */
public record AxisRule(Axis axis, List<MeshDimension> over, Splitter splitter) {

    /** Copies the list. */
    public AxisRule {
        over = List.copyOf(over);
        if (over.isEmpty() || axis.inner()) {
            throw new IllegalArgumentException("a rule for axis " + axis + " over " + over);
        }
    }
}
