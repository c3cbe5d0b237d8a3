package org.maniple.kernel.execute;

import org.maniple.kernel.step.ExpertOrder;
import org.maniple.kernel.step.StepBatch;

/** What happens between two steps, on all ranks between the same two. Used by the rank's own thread. */
public interface BetweenSteps {

    /** For units whose experts stay where they are. */
    BetweenSteps NOTHING = plan -> {
        if (plan.expertOrder() != ExpertOrder.NONE || plan.expertVersion() != 0) {
            throw new IllegalStateException("rank 0 orders " + plan.expertOrder() + " of experts (version " + plan.expertVersion()
                    + "), but this rank was started without rebalancing");
        }
    };

    /**
     * On rank 0, before a plan is sent: it may get an order for all ranks.
     *
     * @param plan the filled batch
     */
    default void order(StepBatch plan) {}

    /**
     * On every rank, before a step runs: carries out the order that its plan has.
     *
     * @param plan the step's plan
     * @throws IllegalStateException if this rank cannot; then ranks no longer agree, and the unit must end
     */
    void before(StepBatch plan);
}
