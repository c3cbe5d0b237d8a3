package org.maniple.it;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.maniple.kernel.engine.StepPipeline;
import org.maniple.kernel.engine.StepResults;
import org.maniple.kernel.step.StepBatch;

/** A pipeline that outlives the engine, since the unit shuts it down, and that runs nothing before it may. */
record LentPipeline(StepPipeline of, CountDownLatch gate) implements StepPipeline {

    /** One that may run at once. */
    LentPipeline(StepPipeline of) {
        this(of, new CountDownLatch(0));
    }

    @Override
    public int depth() {
        return of.depth();
    }

    @Override
    public StepBatch.Limits limits() {
        return of.limits();
    }

    @Override
    public int hiddenWidth() {
        return of.hiddenWidth();
    }

    @Override
    public StepBatch begin() {
        return of.begin();
    }

    @Override
    public void submit(StepBatch batch) {
        try {
            if (!gate.await(100, TimeUnit.SECONDS)) {
                throw new IllegalStateException(
                        "the step may not run after 100 s; " + gate.getCount() + " requests have not come");
            }
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
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
