package org.maniple.kernel.execute;

import org.maniple.api.compute.Kernel;
import org.maniple.api.step.Step;

/** An exchange with other ranks that can be begun, so that something else is computed while data are on their way. */
interface Exchanging extends Kernel {

    /** Begins it. What it reads and writes is not to be touched until it has ended. */
    void begin(Step step);

    /** Ends what has been begun. */
    void end(Step step);

    @Override
    default void run(Step step) {
        begin(step);
        end(step);
    }
}
