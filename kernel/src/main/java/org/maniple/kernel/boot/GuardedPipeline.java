package org.maniple.kernel.boot;

import java.util.function.Consumer;
import java.util.function.Supplier;
import org.maniple.kernel.engine.StepPipeline;
import org.maniple.kernel.engine.StepResults;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.unit.RankProgress;

/** Tells the unit when a step fails on rank 0, before the engine hears of it, and counts steps for heartbeats. */
final class GuardedPipeline implements StepPipeline {

    private final StepPipeline pipeline;
    private final RankProgress progress;
    private final Consumer<RuntimeException> broken;

    GuardedPipeline(StepPipeline pipeline, RankProgress progress, Consumer<RuntimeException> broken) {
        this.pipeline = pipeline;
        this.progress = progress;
        this.broken = broken;
    }

    @Override
    public int depth() {
        return pipeline.depth();
    }

    @Override
    public StepBatch.Limits limits() {
        return pipeline.limits();
    }

    @Override
    public int hiddenWidth() {
        return pipeline.hiddenWidth();
    }

    @Override
    public StepBatch begin() {
        return guard(pipeline::begin);
    }

    @Override
    public void submit(StepBatch batch) {
        guard(() -> {
            pipeline.submit(batch);
            return batch;
        });
        progress.step(batch.stepNumber());
    }

    @Override
    public StepResults await() {
        return guard(pipeline::await);
    }

    @Override
    public void idle() {
        pipeline.idle();
    }

    @Override
    public void shutdown() {
        pipeline.shutdown();
    }

    private <T> T guard(Supplier<T> work) {
        try {
            return work.get();
        } catch (RuntimeException e) {
            broken.accept(e);
            throw e;
        }
    }
}
