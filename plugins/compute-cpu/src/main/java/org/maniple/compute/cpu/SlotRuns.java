package org.maniple.compute.cpu;

import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;

/**
 * Which rows of an activation are multiplied with which matrix: of a ragged one, for each slot that has rows in this step, these;
 * of another one, all rows with the only matrix. Read anew in every step, by the rank's own thread.
 */
final class SlotRuns {

    private final Tensor x;
    /** For each run its slot, its first row, and the row after its last. */
    private final int[] runs;
    private int count;

    SlotRuns(Tensor x) {
        this.x = x;
        this.runs = new int[3 * (x.ragged() ? x.pairs().slots() : 1)];
    }

    /** Finds the runs of this step, and tells how many there are. */
    int refresh() {
        count = 0;
        if (!x.ragged()) {
            add(0, 0, x.rows());
            return count;
        }
        PairRows pairs = x.pairs();
        for (int slot = 0; slot < pairs.slots(); slot++) {
            add(slot, pairs.start(slot), pairs.start(slot + 1));
        }
        return count;
    }

    private void add(int slot, int from, int to) {
        if (to > from) {
            runs[3 * count] = slot;
            runs[3 * count + 1] = from;
            runs[3 * count + 2] = to;
            count++;
        }
    }

    int count() {
        return count;
    }

    int slot(int run) {
        return runs[3 * run];
    }

    int from(int run) {
        return runs[3 * run + 1];
    }

    int to(int run) {
        return runs[3 * run + 2];
    }

    /** Rows of all runs. */
    int rows() {
        return x.rows();
    }
}
