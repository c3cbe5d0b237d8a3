package org.maniple.kernel.execute;

import org.maniple.api.step.Step;

/** Something that the kernel itself does in a step, beside kernels of the back end. Allocates nothing. */
@FunctionalInterface
interface StepAction {

    /**
     * Does it.
     *
     * @param step the tokens that this rank has of the values concerned
     */
    void run(Step step);
}
