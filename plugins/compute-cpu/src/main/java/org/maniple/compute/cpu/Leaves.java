package org.maniple.compute.cpu;

import java.util.List;

/**
 * Where the leaves of a sum end, and how they are added: pairwise as a balanced binary tree, in the order in which they come. What has
 * been added so far lies in the scratch memory of the thread, behind the partial sums.
 */
final class Leaves {

    /** Levels of the largest tree. */
    private static final int LEVELS = 16;
    /** Where the trees of the sums of a tile begin in the scratch memory. */
    private static final int BEGIN = 8 * Lanes.COUNT;
    /** What the trees of the largest tile need. */
    static final int SCRATCH = 8 * LEVELS;

    private Leaves() {}

    /** The ends of the leaves of a sum; the whole is one leaf if nothing else is asked for. */
    static int[] ends(List<Integer> leaves, int count) {
        if (leaves.isEmpty()) {
            return new int[] {count};
        }
        int[] ends = leaves.stream().mapToInt(Integer::intValue).toArray();
        if (ends[ends.length - 1] != count || Integer.bitCount(ends.length) != 1 || ends.length >= 1 << LEVELS) {
            throw new IllegalArgumentException("leaves that end at " + leaves
                    + " do not cut a sum of " + count
                    + " elements: their number must be a power of two, and the last end that of the sum");
        }
        return ends;
    }

    /**
     * Adds the next leaf of a sum.
     *
     * @param lanes scratch of the thread
     * @param sum which of the sums of the tile, 0 to 7
     * @param leaf the number of the leaf; leaves come in ascending order from 0
     * @param value the sum of the leaf's elements
     * @return after the last leaf the sum of all
     */
    static float add(float[] lanes, int sum, int leaf, float value) {
        int at = BEGIN + sum * LEVELS;
        float total = value;
        for (int rest = leaf; (rest & 1) == 1; rest >>= 1) {
            total = lanes[at++] + total;
        }
        lanes[at] = total;
        return total;
    }
}
