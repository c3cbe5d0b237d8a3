package org.maniple.kernel.execute;

import org.maniple.kernel.step.StepBatch;

/** The batch that a rank computes at present, for what is bound before there is one. Used by the rank's own thread. */
final class CurrentBatch {

    private StepBatch batch;

    CurrentBatch(StepBatch batch) {
        this.batch = batch;
    }

    StepBatch batch() {
        return batch;
    }

    void set(StepBatch next) {
        batch = next;
    }
}
