package org.maniple.compute.cpu;

import java.util.Arrays;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.UnitList;

/** Which query heads of this rank read which of its key-value heads. */
final class HeadGroups {

    private HeadGroups() {}

    /**
     * Runs of query heads that read the same key-value head, by their places in this rank's memory.
     *
     * @param limit heads of a run at most
     * @return for each run its first query head, the number of its query heads, and the key-value head
     */
    static int[] of(OpCall call, int limit) {
        Dim heads = call.node().inputs().getFirst().dims().get(1);
        Dim kvHeads = call.node().inputs().get(1).dims().get(1);
        UnitList own = call.units(heads.axis());
        UnitList held = call.units(kvHeads.axis());
        int each = heads.extent() / kvHeads.extent();
        int[] groups = new int[3 * own.size()];
        int at = -3;
        for (int head = 0; head < own.size(); head++) {
            int kvHead = held.indexOf(own.get(head) / each);
            if (kvHead < 0) {
                throw new IllegalArgumentException(call.node() + ": query head " + own.get(head) + " reads key-value head "
                        + own.get(head) / each + ", but this rank has only " + held);
            }
            if (at < 0 || groups[at + 2] != kvHead || groups[at + 1] == limit) {
                at += 3;
                groups[at] = head;
                groups[at + 2] = kvHead;
            }
            groups[at + 1]++;
        }
        return Arrays.copyOf(groups, at + 3);
    }

    /** The most query heads of a group. */
    static int largest(int[] groups) {
        int largest = 0;
        for (int i = 1; i < groups.length; i += 3) {
            largest = Math.max(largest, groups[i]);
        }
        return largest;
    }
}
