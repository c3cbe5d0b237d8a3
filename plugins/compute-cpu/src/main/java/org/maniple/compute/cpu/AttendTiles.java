package org.maniple.compute.cpu;

import java.util.Arrays;
import org.maniple.api.step.Step;

/**
 * How the attention of a step is cut into tasks. A tile is some following rows of a sequence; a task is a tile and the heads of one
 * key-value head, over all chunks of positions. Where a tile is so great a part of the step that threads would wait for it, each of its
 * chunks is a task of its own, and the last thread to finish one joins them. Where nothing is cut, all tiles of a key-value head come before those of the next
 * one, since its keys and values then stay in a core's own cache. How it is cut does not change a bit. Made anew in every step, by the rank's own thread;
 * allocates nothing.
 */
final class AttendTiles {

    private final int groups;
    private final int tileRows;
    private final int window;
    private final int threads;
    private final long unitBytes;
    private final int[] firstRows;
    private final int[] rowCounts;
    private final int[] chunks;
    /** For each tile its first task. */
    private final int[] tasks;
    /** For each tile the number of the first of its units that are cut; -1 if it is not. */
    private final int[] units;
    /** For each tile where the results of its chunks begin. */
    private final long[] bytes;
    private int tiles;
    private int count;
    private int cutUnits;
    private long cutBytes;
    private long seen;

    /**
     * Tiles.
     *
     * @param groups key-value heads that have tasks of their own
     * @param tileRows rows of a tile at most
     * @param maxRows rows of a step at most
     * @param pairBytes bytes of the result of a chunk, for each row of a tile
     */
    AttendTiles(int groups, int tileRows, int window, int threads, int maxRows, long pairBytes) {
        this.groups = groups;
        this.tileRows = tileRows;
        this.window = window;
        this.threads = threads;
        this.unitBytes = pairBytes;
        this.firstRows = new int[maxRows];
        this.rowCounts = new int[maxRows];
        this.chunks = new int[maxRows];
        this.tasks = new int[maxRows];
        this.units = new int[maxRows];
        this.bytes = new long[maxRows];
    }

    /**
     * Cuts a step.
     *
     * @param rows of this step
     * @param cutLimit bytes that there may be for the results of chunks
     */
    void cut(Step step, int rows, long cutLimit) {
        tiles = 0;
        seen = 0;
        long work = 0;
        for (int row = 0; row < rows;) {
            int span = step.spanOf(row);
            int end = Math.min(rows, step.spanStart(span) + step.spanLength(span));
            for (; row < end; row += tileRows) {
                int taken = Math.min(tileRows, end - row);
                firstRows[tiles] = row;
                rowCounts[tiles] = taken;
                int last = step.position(row) + taken - 1;
                int first = firstVisible(step.position(row));
                chunks[tiles] = last / Softmax.CHUNK - first / Softmax.CHUNK + 1;
                seen += (long) (last - first + 1) * taken;
                work += (long) chunks[tiles] * taken;
                tiles++;
            }
            row = end;
        }
        count = 0;
        cutUnits = 0;
        cutBytes = 0;
        for (int tile = 0; tile < tiles; tile++) {
            tasks[tile] = count;
            long need = groups * unitBytes * rowCounts[tile] * chunks[tile];
            boolean cuts = threads > 1 && chunks[tile] > 1
                    && (long) chunks[tile] * rowCounts[tile] * threads * 4 > work * groups && cutBytes + need <= cutLimit;
            units[tile] = cuts ? cutUnits : -1;
            bytes[tile] = cutBytes;
            if (cuts) {
                cutUnits += groups;
                cutBytes += need;
            }
            count += cuts ? groups * chunks[tile] : groups;
        }
    }

    /** Units that a step may have cut at most. */
    int maxCutUnits() {
        // Each is a greater part of the step than one in 4 · threads; they come in tiles of all groups.
        return 4 * threads + groups;
    }

    private int firstVisible(int position) {
        return window == 0 ? 0 : Math.max(0, position - window + 1);
    }

    /** Tasks of a tile that is not cut. */
    int groups() {
        return groups;
    }

    /** Tasks of this step. */
    int tasks() {
        return count;
    }

    /** Pairs of a row and a position that it sees. */
    long seen() {
        return seen;
    }

    /** Bytes for the results of chunks in this step. */
    long cutBytes() {
        return cutBytes;
    }

    /** Units that are cut in this step. */
    int cutUnits() {
        return cutUnits;
    }

    /** The tile of a task. */
    int tile(int task) {
        if (cutUnits == 0) {
            return task % tiles;
        }
        int found = Arrays.binarySearch(tasks, 0, tiles, task);
        return found >= 0 ? found : -found - 2;
    }

    int group(int tile, int task) {
        return cutUnits == 0 ? task / tiles : (task - tasks[tile]) % groups;
    }

    /** Which of a cut tile's chunks a task computes. */
    int chunk(int tile, int task) {
        return (task - tasks[tile]) / groups;
    }

    int firstRow(int tile) {
        return firstRows[tile];
    }

    int rows(int tile) {
        return rowCounts[tile];
    }

    int chunks(int tile) {
        return chunks[tile];
    }

    boolean cut(int tile) {
        return units[tile] >= 0;
    }

    int unit(int tile, int group) {
        return units[tile] + group;
    }

    /** Where the result of a chunk begins. */
    long result(int tile, int group, int chunk) {
        return bytes[tile] + ((long) group * chunks[tile] + chunk) * unitBytes * rowCounts[tile];
    }
}
