package org.maniple.kernel.plan;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.maniple.kernel.config.UnitWish;

/**
 * The fewest ranks that a model fits on.
 *
 * @param ranksPerNode ranks on each node
 * @param way how it is spread over them
 */
record SmallestUnit(List<Integer> ranksPerNode, Candidate way) {

    private static final int MOST_NODES = 64;

    /** Looks on one node first, then on whole nodes as large as the largest there is. */
    static Optional<SmallestUnit> find(Planner planner, UnitWish wish, long modelBytes, long usable) {
        int perNode = wish.ranksPerNode().stream().mapToInt(Integer::intValue).max().orElseThrow();
        long least = Math.max(1, modelBytes / Math.max(1, usable));
        for (int ranks = 1; ranks <= perNode; ranks++) {
            Optional<SmallestUnit> found = ranks < least ? Optional.empty() : on(planner, wish, List.of(ranks));
            if (found.isPresent()) {
                return found;
            }
        }
        for (int nodes = 2; nodes <= MOST_NODES; nodes++) {
            Optional<SmallestUnit> found = (long) nodes * perNode < least
                    ? Optional.empty()
                    : on(planner, wish, Collections.nCopies(nodes, perNode));
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    private static Optional<SmallestUnit> on(Planner planner, UnitWish wish, List<Integer> ranksPerNode) {
        return planner.candidates(wish.on(ranksPerNode)).stream().filter(Candidate::possible).findFirst()
                .map(way -> new SmallestUnit(ranksPerNode, way));
    }

    @Override
    public String toString() {
        String place = ranksPerNode.size() == 1
                ? ranksPerNode.getFirst() + (ranksPerNode.getFirst() == 1 ? " rank" : " ranks") + " on one node"
                : ranksPerNode.size() + " nodes of " + ranksPerNode.getFirst()
                        + (ranksPerNode.getFirst() == 1 ? " rank" : " ranks");
        return place + " (" + way.layout() + ")";
    }
}
