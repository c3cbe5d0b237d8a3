package org.maniple.collectives.tree;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Adds segments of floats along a balanced binary tree over their positions: a node over n addends splits them at the largest power of
 * two below n. Works on blocks that stay in the first-level cache, in arrays, over which the compiler vectorises plain loops (over native
 * memory it cannot prove that the operands do not overlap).
 */
final class TreeSum {

    private static final int BLOCK = 1024;
    private static final MemorySegment[] NONE = {};
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    /** One block per level of the tree. */
    private final List<float[]> blocks = new ArrayList<>();
    private MemorySegment[] addends = NONE;
    private long at;
    private int count;

    /**
     * Adds.
     *
     * @param segments the addends, by position
     * @param terms how many of them
     * @param bytes the size of each
     * @param sum receives the sum; may be one of the addends
     */
    void add(MemorySegment[] segments, int terms, long bytes, MemorySegment sum) {
        addends = segments;
        for (at = 0; at < bytes; at += (long) count * Float.BYTES) {
            count = (int) Math.min(BLOCK, (bytes - at) / Float.BYTES);
            MemorySegment.copy(node(0, terms, 0), 0, sum, FLOAT, at, count);
        }
        addends = NONE;
    }

    private float[] node(int from, int to, int level) {
        float[] left = block(level);
        if (to - from == 1) {
            MemorySegment.copy(addends[from], FLOAT, at, left, 0, count);
            return left;
        }
        int middle = from + Integer.highestOneBit(to - from - 1);
        node(from, middle, level);
        add(left, node(middle, to, level + 1), count);
        return left;
    }

    private static void add(float[] left, float[] right, int count) {
        for (int i = 0; i < count; i++) {
            left[i] += right[i];
        }
    }

    private float[] block(int level) {
        while (blocks.size() <= level) {
            blocks.add(new float[BLOCK]);
        }
        return blocks.get(level);
    }
}
