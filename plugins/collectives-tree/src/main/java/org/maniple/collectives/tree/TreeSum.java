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

    private static final int BLOCK = 2048;
    private static final MemorySegment[] NONE = {};
    private static final int[] NO_LEAVES = {};
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    /** One block per level of the tree. */
    private final List<float[]> blocks = new ArrayList<>();
    private MemorySegment[] addends = NONE;
    private int[] leaves = NO_LEAVES;
    private long start;
    private int own;
    private long ownStart;
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
        add(segments, 0, 0, 0, 0, terms, NO_LEAVES, bytes, sum, 0);
    }

    /**
     * Adds what is at the same place of all segments but one, along a node of the tree.
     *
     * @param segments the addends, by position
     * @param from where they begin in their segments
     * @param mine the position of the one that begins elsewhere in its segment
     * @param myFrom where
     * @param first the first position of the node
     * @param last the position after its last
     * @param ends by position: where a leaf ends that begins there, if leaves may stand for sums of several positions
     * @param bytes the size of each addend
     * @param sum receives the sum; may be one of the addends
     * @param sumFrom where in it
     */
    void add(MemorySegment[] segments, long from, int mine, long myFrom, int first, int last, int[] ends, long bytes,
            MemorySegment sum, long sumFrom) {
        add(segments, from, mine, myFrom, first, last, ends, bytes, sum, sumFrom, MemorySegment.NULL, 0);
    }

    /**
     * The same for a sum that is wanted in two places.
     *
     * @param copy receives the sum too, unless it is {@link MemorySegment#NULL}
     * @param copyFrom where in it
     */
    void add(MemorySegment[] segments, long from, int mine, long myFrom, int first, int last, int[] ends, long bytes,
            MemorySegment sum, long sumFrom, MemorySegment copy, long copyFrom) {
        addends = segments;
        start = from;
        own = mine;
        ownStart = myFrom;
        leaves = ends;
        for (at = 0; at < bytes; at += (long) count * Float.BYTES) {
            count = (int) Math.min(BLOCK, (bytes - at) / Float.BYTES);
            float[] block = node(first, last, 0);
            MemorySegment.copy(block, 0, sum, FLOAT, sumFrom + at, count);
            if (copy.byteSize() > 0) {
                MemorySegment.copy(block, 0, copy, FLOAT, copyFrom + at, count);
            }
        }
        addends = NONE;
        leaves = NO_LEAVES;
    }

    private float[] node(int from, int to, int level) {
        float[] left = block(level);
        if (to - from == 1 || leaves.length > from && leaves[from] == to) {
            MemorySegment.copy(addends[from], FLOAT, (from == own ? ownStart : start) + at, left, 0, count);
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
