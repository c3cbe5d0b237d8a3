package org.maniple.collectives.tree;

import java.util.ArrayList;
import java.util.List;
import org.maniple.api.collective.Communicator;
import org.maniple.api.transport.Wire;

/**
 * Which ranks of a group share memory with each other. If the ranks of each island are the leaves of one node of the tree along which sums are formed,
 * the sum of an island may be formed first, and the bits stay the same.
 */
final class Islands {

    /** The ranks of the own island, ascending. */
    final List<Integer> mine;
    /** The positions in the group where islands begin, ascending. */
    final int[] firsts;
    /** By position: where an island ends that begins there; 0 for other positions. */
    final int[] ends;
    /** The first position of the own island. */
    final int first;
    private final boolean nodes;

    Islands(Communicator.Group group, Wire wire) {
        List<Integer> ranks = group.ranks();
        int island = wire.island(ranks.get(group.position()));
        this.mine = ranks.stream().filter(rank -> wire.island(rank) == island).toList();
        this.first = ranks.indexOf(mine.getFirst());
        this.ends = new int[ranks.size()];
        var starts = new ArrayList<Integer>();
        boolean fit = true;
        for (int from = 0; from < ranks.size();) {
            int here = wire.island(ranks.get(from));
            int to = from + 1;
            while (to < ranks.size() && wire.island(ranks.get(to)) == here) {
                to++;
            }
            starts.add(from);
            ends[from] = to;
            long all = ranks.stream().filter(rank -> wire.island(rank) == here).count();
            fit &= all == to - from && isNode(from, to, 0, ranks.size());
            from = to;
        }
        this.firsts = starts.stream().mapToInt(Integer::intValue).toArray();
        this.nodes = fit;
    }

    private static boolean isNode(int from, int to, int first, int last) {
        if (from == first && to == last) {
            return true;
        }
        if (last - first == 1) {
            return false;
        }
        int middle = first + Integer.highestOneBit(last - first - 1);
        return to <= middle ? isNode(from, to, first, middle) : from >= middle && isNode(from, to, middle, last);
    }

    /** Whether all ranks share memory. */
    boolean one() {
        return firsts.length == 1;
    }

    /** Whether there are several, within which sums are formed first. */
    boolean several() {
        return nodes && firsts.length > 1 && firsts.length < ends.length;
    }

    /** Whether sums within islands would not be those of the tree. */
    boolean scattered() {
        return !nodes;
    }
}
