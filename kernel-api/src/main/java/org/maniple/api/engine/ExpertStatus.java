package org.maniple.api.engine;

import java.util.List;
import java.util.OptionalDouble;

/**
 * Where the routed experts of a unit are, and how they are used.
 *
 * @param rebalances whether experts are moved while the unit serves
 * @param rounds how many rounds of rebalancing have ended with all their changes made
 * @param abandonedRounds how many have ended without
 * @param layers the blocks with experts, in order
 */
public record ExpertStatus(boolean rebalances, int rounds, int abandonedRounds, List<Layer> layers) {

    /** Copies the list. */
    public ExpertStatus {
        layers = List.copyOf(layers);
    }

    /**
     * A block.
     *
     * @param layer its number, from 0
     * @param version how often its experts have changed their places
     * @param ranks the ranks that compute it, with the experts that each has
     * @param loads pairs of a token and each expert in the window of steps before the last round; empty if nobody has counted yet
     * @param balancedness the mean load of a rank divided by the greatest, for these loads and the present places
     */
    public record Layer(int layer, int version, List<RankExperts> ranks, List<Long> loads, OptionalDouble balancedness) {

        /** Copies the lists. */
        public Layer {
            ranks = List.copyOf(ranks);
            loads = List.copyOf(loads);
        }
    }

    /**
     * The experts of a rank.
     *
     * @param rank its number
     * @param experts the expert in each of its slots
     */
    public record RankExperts(int rank, List<Integer> experts) {

        /** Copies the list. */
        public RankExperts {
            experts = List.copyOf(experts);
        }
    }
}
