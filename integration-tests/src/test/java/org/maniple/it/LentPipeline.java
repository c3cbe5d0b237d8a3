package org.maniple.it;

import org.maniple.kernel.engine.StepPipeline;
import org.maniple.kernel.engine.StepResults;
import org.maniple.kernel.step.StepBatch;

/** A pipeline that outlives the engine: the unit shuts it down. */
record LentPipeline(StepPipeline of) implements StepPipeline {

    @Override
    public int depth() {
        return of.depth();
    }

    @Override
    public StepBatch.Limits limits() {
        return of.limits();
    }

    @Override
    public StepBatch begin() {
        return of.begin();
    }

    @Override
    public void submit(StepBatch batch) {
        of.submit(batch);
    }

    @Override
    public StepResults await() {
        return of.await();
    }

    @Override
    public void idle() {
        of.idle();
    }

    @Override
    public void shutdown() {
        // The unit does.
    }
}
