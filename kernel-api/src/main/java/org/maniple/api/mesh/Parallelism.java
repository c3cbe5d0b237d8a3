package org.maniple.api.mesh;

import java.util.List;
import org.maniple.api.Extension;
import org.maniple.api.config.Problem;
import org.maniple.api.config.Settings;

/**
 * A way of spreading a model over ranks: its dimensions of the mesh, and which axes are split over them. It knows no model and no
 * graph. All enabled parallelisms are composed; one whose dimensions all have size 1 does nothing.
 */
public interface Parallelism extends Extension {

    /**
     * The dimensions that it adds to the mesh.
     *
     * @return may be empty: a parallelism may only use dimensions of others
     */
    List<MeshDimension> dimensions();

    /**
     * The number of ranks along one of its dimensions.
     *
     * @param dimension one of {@link #dimensions()}
     * @param settings the configuration
     * @return at least 1
     */
    int size(MeshDimension dimension, Settings settings);

    /**
     * Which axes are split over which dimensions.
     *
     * @param settings the configuration
     * @return rules in order; see {@link AxisRule}
     */
    List<AxisRule> rules(Settings settings);

    /**
     * Mistakes that the configuration makes about this parallelism and that can be seen without a model.
     *
     * @param settings the configuration
     * @return all of them
     */
    default List<Problem> problems(Settings settings) {
        return List.of();
    }
}
