package org.maniple.compute.cpu;

import org.maniple.api.compute.Kernel;
import org.maniple.api.step.Step;

/**
 * A kernel that computes each row from the same row of its inputs, so that a thread may take some rows through several such kernels, one after the
 * other, without waiting for the others. For use by one rank; different threads take different rows.
 */
interface RowWise extends Kernel {

    /** Rows of this step. */
    int rows();

    /** Elements of a row, for a guess how long it takes. */
    int width();

    /** Gets ready for a step; by the rank's own thread, before any row is computed. */
    void begin(Step step);

    /**
     * Computes some rows.
     *
     * @param from the first
     * @param to the row after the last
     * @param thread which computes them
     */
    void compute(int from, int to, int thread);
}
