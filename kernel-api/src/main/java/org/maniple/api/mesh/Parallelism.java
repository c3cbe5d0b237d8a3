package org.maniple.api.mesh;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.Extension;
import org.maniple.api.config.Derived;
import org.maniple.api.config.Problem;
import org.maniple.api.config.Settings;
import org.maniple.api.graph.Axis;

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
     * In which order the rules of several parallelisms are taken: those with a larger number come later, and where two are about the same
     * axis, or about two axes of one tensor, the later one decides. Tensor parallelism has 100, pipeline 200, data 300, expert 400.
     *
     * @return any number
     */
    default int precedence() {
        return 100;
    }

    /**
     * Which rank has which routed experts, where this parallelism decides about that. Only asked of the one whose rule is about
     * {@link org.maniple.api.graph.Axes#EXPERTS}.
     *
     * @param layer the block, counted from 0
     * @param experts how many routed experts it has
     * @param mesh all ranks
     * @param settings the configuration
     * @return a placement over the dimensions of that rule, in which every rank has as many slots as in any other layer with as many experts
     * @throws SplitException if the configuration asks for something impossible
     */
    default Optional<ExpertPlacement> experts(int layer, int experts, Mesh mesh, Settings settings) {
        return Optional.empty();
    }

    /**
     * Axes that a model must have for this configuration to make sense, such as experts to be spread.
     *
     * @param settings the configuration
     * @return for each axis the key that asks for it
     */
    default Map<Axis, String> required(Settings settings) {
        return Map.of();
    }

    /**
     * Values that follow from the configuration, of its own keys or of others: where a spelling counts otherwise than its key does, or where
     * the field's commands say in other words where a rank is. Asked before everything else; the user is shown what changes. Where
     * something contradicts, nothing is derived and {@link #problems} says why.
     *
     * @param settings the configuration as it was given
     * @return values that replace those of the configuration
     */
    default List<Derived> derive(Settings settings) {
        return List.of();
    }

    /**
     * What else the sizes may have been meant to say. Asked where the mesh does not fit the ranks that there are.
     *
     * @param mesh all ranks
     * @param settings the configuration
     * @return a question or a sentence for the user; empty if there is no other reading
     */
    default Optional<String> otherReading(Mesh mesh, Settings settings) {
        return Optional.empty();
    }

    /**
     * Ways of configuring this parallelism that are worth looking at for a model on some ranks. A planner combines those of all parallelisms,
     * leaves out what the user has decided otherwise, and keeps what makes a mesh of all ranks; what breaks a rule is shown with its reason.
     *
     * @param request the ranks and the model's axes
     * @return for each way the values of its keys, as they would be written as flags; every way names the same keys. Of two that
     *     come out alike the first is preferred
     */
    default List<Map<String, String>> candidates(PlanRequest request) {
        return List.of(Map.of());
    }

    /**
     * What rebalances the experts while the unit serves. Only asked of the one whose rule is about
     * {@link org.maniple.api.graph.Axes#EXPERTS}.
     *
     * @param settings the configuration
     * @return empty if the placement stays as it is at the start
     */
    default Optional<ExpertBalancer> balancer(Settings settings) {
        return Optional.empty();
    }

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
