package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Products of many {@link QuantizedRows} with weights of a block type: lanes are rows of activations. Codes of some rows of weights are made
 * floats, chunk by chunk, for all rows of activations. Products of codes as floats and the sums of a block stay below 2^24, so that they are
 * exact in whatever order they are formed.
 */
final class ManyRows {

    /** Rows of weights whose results are formed at once, while activations are in the second cache. */
    static final int ROWS = 128;
    /** Rows of weights whose codes are made floats at once. */
    private static final int PANEL = 32;
    /** Elements of a row that are made floats at once; what is multiplied with each other then stays in the first cache. */
    static final int CHUNK = 128;
    /** Rows of weights that are multiplied at once. */
    static final int TILE = 8;
    /** Groups of rows of activations whose sums are formed at once; a whole matrix would not stay in the cache. */
    private static final int GROUPS = 16;
    private static final int GROUPS_OF_LEAVES = 4;
    /** How weights are held. */
    interface Weights {

        /**
         * Makes ready for calls of {@link #floats}.
         *
         * @param row the first of some rows
         * @param count how many; at most {@value #ROWS}
         * @param scales receives the scales, and at {@code minima} the minima if there are some: {@value #ROWS} of each run
         */
        void begin(MemorySegment w, long row, int count, float[] scales, int minima, Scratch scratch);

        /**
         * Makes codes of some of the rows floats.
         *
         * @param begin the first of the rows that were made ready
         * @param row the first of them, counted among those; a multiple of {@value #PANEL}
         * @param count how many; at most {@value #PANEL}
         * @param first the first run
         * @param runs at most {@value #CHUNK} elements
         * @param to receives {@value #CHUNK} elements of each row
         */
        void floats(MemorySegment w, long begin, int row, int count, int first, int runs, float[] floats, int to,
                Scratch scratch);

        /**
         * Sums products of {@value #TILE} rows of weights with two vectors of rows of activations.
         *
         * @param at where those codes begin that were made floats
         * @param row the first of the rows of weights, counted among those
         * @param next bytes from the first vector to the second one
         * @param runs how many
         * @param sums receives for each run and each row of weights a vector, for the first rows of activations and then for the second ones
         */
        void tile(float[] floats, int at, int row, MemorySegment x, long xAt, long next, int runs, int sums);
    }

    private final Weights weights;
    private final QuantizedRows input;
    private final int run;
    private final int runs;
    private final boolean minima;
    private final int[] leafEnds;
    private final int groups;

    /**
     * Products.
     *
     * @param weights how they are held
     * @param input the activations
     * @param run elements of weights that share a scale
     * @param runs of a row
     * @param minima whether there are minima
     * @param leafEnds where leaves end, in runs
     */
    ManyRows(Weights weights, QuantizedRows input, int run, int runs, boolean minima, int[] leafEnds) {
        this.weights = weights;
        this.input = input;
        this.run = run;
        this.runs = runs;
        this.minima = minima;
        this.leafEnds = leafEnds;
        this.groups = leafEnds.length == 1 ? GROUPS : GROUPS_OF_LEAVES;
    }

    // The floats: scales and minima, by runs, of each its rows of weights; the codes of a chunk; the sums of its runs for one tile; results by leaves,
    // groups, rows of weights, rows of x.

    private int minima() {
        return runs * ROWS;
    }

    private int panel() {
        return 2 * runs * ROWS;
    }

    private int sums() {
        return panel() + PANEL * CHUNK;
    }

    private int results() {
        return sums() + CHUNK / run * 2 * TILE * Lanes.L;
    }

    private int groupFloats() {
        return ROWS * QuantizedRows.GROUP;
    }

    /** Room that it needs in {@link Scratch#floats}. */
    int floats() {
        return results() + leafEnds.length * groups * groupFloats();
    }

    /** See {@link Product#compute}. */
    void compute(MemorySegment w, long firstRow, int columns, MemorySegment x, long xAt, int xRow, int xRows, MemorySegment out,
            long outAt, long outStride, Scratch scratch) {
        for (int n = 0; n < columns; n += ROWS) {
            int taken = Math.min(ROWS, columns - n);
            weights.begin(w, firstRow + n, taken, scratch.floats(), minima(), scratch);
            int end = xRow + xRows;
            for (int row = xRow & -QuantizedRows.GROUP; row < end; row += groups * QuantizedRows.GROUP) {
                int last = Math.min(end, row + groups * QuantizedRows.GROUP);
                multiply(w, firstRow + n, taken, x, xAt, row, last, scratch);
                write(taken, row, Math.max(row, xRow), last, xRow, out, outAt + 4L * n, outStride, scratch.floats());
            }
        }
    }

    /** Computes some groups of rows of activations. */
    private void multiply(MemorySegment w, long wRow, int count, MemorySegment x, long xAt, int from, int end, Scratch scratch) {
        float[] floats = scratch.floats();
        Arrays.fill(floats, results(), floats(), 0f);
        int start = 0;
        for (int leaf = 0; leaf < leafEnds.length; leaf++) {
            int results = results() + leaf * groups * groupFloats();
            for (int first = start; first < leafEnds[leaf]; first += CHUNK / run) {
                int taken = Math.min(CHUNK / run, leafEnds[leaf] - first);
                for (int n = 0; n < count; n += PANEL) {
                    int panel = Math.min(PANEL, count - n);
                    weights.floats(w, wRow, n, panel, first, taken, floats, panel(), scratch);
                    for (int row = from; row < end; row += 2 * QuantizedRows.GROUP) {
                        chunk(n, panel, first, taken, x, input.groupCodes(xAt, row), row + QuantizedRows.GROUP < end, floats,
                                results + (row - from) / QuantizedRows.GROUP * groupFloats());
                    }
                }
            }
            start = leafEnds[leaf];
        }
        tree(floats);
    }

    /** Adds what the runs of a chunk contribute to the results of two groups, or of one: the other results then count for nothing. */
    private void chunk(int n, int count, int first, int taken, MemorySegment x, long group, boolean two, float[] floats, int to) {
        long from = group + 4L * QuantizedRows.GROUP * first * run;
        long next = two ? input.groupBytes() : 0;
        for (int r = 0; r < count; r += TILE) {
            for (int part = 0; part < QuantizedRows.GROUP; part += Lanes.L) {
                int result = to + (n + r) * QuantizedRows.GROUP + part;
                weights.tile(floats, panel(), r, x, from + 4L * part, next, taken, sums());
                add(first, taken, n + r, x, group + 4L * part, floats, sums(), result);
                if (two) {
                    add(first, taken, n + r, x, group + next + 4L * part, floats, sums() + TILE * Lanes.L,
                            result + groupFloats());
                }
            }
        }
    }

    /** Adds sums of runs, each times its scales, to the results of a tile. */
    private void add(int first, int taken, int r, MemorySegment x, long group, float[] floats, int sums, int result) {
        int shift = run == BlockUnpacker.ACTIVATIONS ? 0 : 1;
        int scale = first * ROWS + r;
        long scales = group + QuantizedRows.GROUP * input.scales();
        if (minima) {
            long totals = group + QuantizedRows.GROUP * ((shift == 0 ? input.sums() : input.halves()) + 4L * first);
            BlockKernels.scaleWithMinima(floats, sums, scale, minima() + scale, x, scales, totals, shift, first, taken, result);
        } else {
            BlockKernels.scale(floats, sums, scale, x, scales, shift, first, taken, result);
        }
    }

    /** Adds the results of leaves pairwise. */
    private void tree(float[] floats) {
        int each = groups * groupFloats();
        for (int width = 1; width < leafEnds.length; width *= 2) {
            for (int leaf = 0; leaf < leafEnds.length; leaf += 2 * width) {
                int a = results() + leaf * each;
                int b = a + width * each;
                for (int i = 0; i < each; i++) {
                    floats[a + i] += floats[b + i];
                }
            }
        }
    }

    /** Writes results of some groups where they belong. */
    private void write(int count, int groupRow, int from, int end, int xRow, MemorySegment out, long to, long outStride,
            float[] floats) {
        for (int row = from; row < end; row++) {
            int at = results() + (row - groupRow) / QuantizedRows.GROUP * groupFloats() + (row & QuantizedRows.GROUP - 1);
            long line = to + (row - xRow) * outStride;
            for (int r = 0; r < count; r++) {
                out.set(JAVA_FLOAT_UNALIGNED, line + 4L * r, floats[at + r * QuantizedRows.GROUP]);
            }
        }
    }
}
