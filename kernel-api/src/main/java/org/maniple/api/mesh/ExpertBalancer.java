package org.maniple.api.mesh;

/**
 * Decides anew which rank has which routed experts, from how much each of them was used. It only decides; the kernel counts loads, asks, moves
 * weights in the background and lets all ranks change over on the same step. Deterministic, stateless and safe for use by several threads: ranks
 * that ask with the same loads get the same placement.
 *
 * <p>How the kernel uses it, with {@link Schedule}: it counts for each layer with experts the pairs of a token and an expert in every step, summed
 * over all ranks, and keeps the sums of the last {@link Schedule#windowSteps}. Every {@link Schedule#intervalSteps} it starts a round, unless the
 * mean {@linkplain ExpertPlacement#balancedness balancedness} of the layers is at least {@link Schedule#threshold}. A round goes through the layers
 * in order, {@link Schedule#layersPerChunk} at a time: {@link #rebalance} is asked, the weights of slots whose expert changes are brought, and only
 * when all ranks have them the chunk's new placements are committed. A new round does not start before the last one is through.
 */
public interface ExpertBalancer {

    /**
     * When to rebalance.
     *
     * @param windowSteps steps over which loads are summed; at least 1
     * @param intervalSteps steps from the start of one round to the start of the next; at least 1. The load of the first round may be that of fewer
     *     steps than the window has
     * @param layersPerChunk layers that change over on the same step; at least 1
     * @param threshold a round is left out if the balancedness is at least this; 1: only if it is perfect
     * @param logged whether the balancedness before and after each round is to be shown to the user
     */
    record Schedule(int windowSteps, int intervalSteps, int layersPerChunk, double threshold, boolean logged) {}

    /**
     * When to rebalance.
     *
     * @return the same at every call
     */
    Schedule schedule();

    /**
     * Whether layers of a model can be rebalanced; to be asked before weights are read.
     *
     * @param experts how many routed experts a layer has
     * @param replicas slots of all ranks
     * @param parts ranks that experts are spread over
     * @param groups groups that the model's router divides the experts into; 1 if it does not
     * @param nodes machines that the ranks are on, which have equally many of them in order; 1 if they have not
     * @throws SplitException if the configuration asks for something impossible
     */
    void check(int experts, int replicas, int parts, int groups, int nodes);

    /**
     * A placement that suits some loads.
     *
     * @param layer the block, counted from 0
     * @param loads how much each expert was used; none is negative. All may be 0
     * @param current the placement now
     * @param groups as for {@link #check}
     * @param nodes as for {@link #check}
     * @return a placement with as many slots for each rank as now. An expert that stays on a rank keeps its slot there, so that only slots whose
     *     expert differs need other weights; equal to the current one if nothing is to be gained
     */
    ExpertPlacement rebalance(int layer, double[] loads, ExpertPlacement current, int groups, int nodes);
}
