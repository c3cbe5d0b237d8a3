package org.maniple.compute.cpu;

import java.util.ArrayList;
import java.util.List;

/**
 * Runs of a row's elements that have one factor and lie in one leaf.
 *
 * @param starts first elements
 * @param wholes the elements after the last ones that fill all partial sums
 * @param ends the elements after the last ones
 * @param blocks the blocks whose factors apply
 * @param ofLeaf for each leaf its first run, and at the end the number of runs
 */
@SuppressWarnings("ArrayRecordComponent") // read by kernels in their loops
record Segments(int[] starts, int[] wholes, int[] ends, int[] blocks, int[] ofLeaf) {

    /** The runs of a row whose leaves and blocks end at some elements. */
    static Segments of(int[] leafEnds, List<Integer> blockEnds) {
        var found = new ArrayList<int[]>();
        int[] ofLeaf = new int[leafEnds.length + 1];
        int start = 0;
        int block = 0;
        for (int leaf = 0; leaf < leafEnds.length; leaf++) {
            while (start < leafEnds[leaf]) {
                while (blockEnds.get(block) <= start) {
                    block++;
                }
                int end = Math.min(leafEnds[leaf], blockEnds.get(block));
                int length = end - start;
                found.add(new int[] {start, end - length % Lanes.COUNT, end, block});
                start = end;
            }
            ofLeaf[leaf + 1] = found.size();
        }
        return new Segments(column(found, 0), column(found, 1), column(found, 2), column(found, 3), ofLeaf);
    }

    private static int[] column(List<int[]> rows, int index) {
        return rows.stream().mapToInt(row -> row[index]).toArray();
    }
}
