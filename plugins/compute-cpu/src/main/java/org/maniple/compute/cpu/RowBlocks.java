package org.maniple.compute.cpu;

import java.util.List;

/**
 * The blocks of a row of scaled weights.
 *
 * @param ends where blocks end, in elements of a row
 * @param ofGroup for each group of {@value Lanes#COUNT} elements its block, if no block ends within a group; otherwise empty
 */
@SuppressWarnings("ArrayRecordComponent") // read by kernels in their loops
record RowBlocks(int[] ends, int[] ofGroup) {

    /** The blocks that end at some elements. */
    static RowBlocks of(List<Integer> ends) {
        int count = ends.getLast();
        boolean grouped = ends.stream().allMatch(end -> end % Lanes.COUNT == 0);
        int[] ofGroup = new int[grouped ? count / Lanes.COUNT : 0];
        int block = 0;
        for (int group = 0; group < ofGroup.length; group++) {
            while (ends.get(block) <= group * Lanes.COUNT) {
                block++;
            }
            ofGroup[group] = block;
        }
        return new RowBlocks(ends.stream().mapToInt(Integer::intValue).toArray(), ofGroup);
    }

    /** Whether each group of elements lies in one block. */
    boolean grouped() {
        return ofGroup.length * Lanes.COUNT == ends[ends.length - 1];
    }
}
