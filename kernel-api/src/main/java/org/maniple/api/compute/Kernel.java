package org.maniple.api.compute;

import org.maniple.api.step.Step;

/**
 * Operations bound to memory, ready to run. Computes each row in the same way whatever the number of rows, and allocates nothing on the
 * Java heap.
 */
@FunctionalInterface
public interface Kernel {

    /**
     * Runs on the rows that the tensors have in use.
     *
     * @param step the step
     */
    void run(Step step);
}
