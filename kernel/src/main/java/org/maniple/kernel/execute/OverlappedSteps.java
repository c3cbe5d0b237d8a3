package org.maniple.kernel.execute;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.maniple.api.tensor.Tensor;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepHalves;

/**
 * Computes steps in two halves that take turns: while what one of them exchanges with other ranks is on its way, the other one computes. Turns end where
 * an exchange begins, so that all ranks begin and end the exchanges of both halves in the same order. In every block the first half is ahead of the second,
 * whose tokens may attend to those of the first. Used by the rank's own thread; allocates nothing once it is warm.
 */
final class OverlappedSteps {

    private final OverlapThresholds thresholds;
    private final Course first;
    private final Course second;
    private final StepHalves halves;
    private final @Nullable Joined candidates;
    private final @Nullable Joined logits;
    private final @Nullable Joined hidden;

    /** Rows of a result that the halves make each in a tensor of its own; they are wanted in the first one. */
    record Joined(Tensor first, Tensor second) {

        /** Puts the rows of the second half behind those of the first, home by home. */
        void join(StepBatch whole, StepBatch firstHalf, StepBatch secondHalf) {
            long rowBytes = (long) first.width() * first.dtype().bytes();
            MemorySegment to = first.segment();
            // From the last one on, since rows move towards the end.
            for (int home = whole.limits().homes() - 1; home >= 0; home--) {
                long start = whole.rowStart(home) * rowBytes;
                long from = firstHalf.rowStart(home) * rowBytes;
                long bytes = firstHalf.rowStart(home + 1) * rowBytes - from;
                if (start != from) {
                    MemorySegment.copy(to, from, to, start, bytes);
                }
                long at = secondHalf.rowStart(home) * rowBytes;
                MemorySegment.copy(second.segment(), at, to, start + bytes, secondHalf.rowStart(home + 1) * rowBytes - at);
            }
            first.rows(whole.selectedRows());
        }
    }

    /**
     * @param first the course of the executor that also computes whole steps
     * @param second the other one's
     * @param candidates if this rank has the results of steps
     * @param logits likewise
     * @param hidden likewise, if they can be had of the model
     */
    OverlappedSteps(OverlapThresholds thresholds, Course first, Course second, StepHalves halves, @Nullable Joined candidates,
            @Nullable Joined logits, @Nullable Joined hidden) {
        this.thresholds = thresholds;
        this.first = first;
        this.second = second;
        this.halves = halves;
        this.candidates = candidates;
        this.logits = logits;
        this.hidden = hidden;
    }

    /** Whether a step is to be computed in halves; then it is cut. */
    boolean cut(StepBatch step) {
        if (!thresholds.reached(step)) {
            return false;
        }
        halves.cut(step);
        return true;
    }

    StepBatch firstHalf() {
        return halves.first();
    }

    StepBatch secondHalf() {
        return halves.second();
    }

    /** Computes both halves of the step that was cut, which the executors have begun. */
    void run(StepBatch step) {
        boolean firstGoesOn = true;
        boolean secondGoesOn = true;
        while (firstGoesOn || secondGoesOn) {
            firstGoesOn = firstGoesOn && first.takeTurn();
            secondGoesOn = secondGoesOn && second.takeTurn();
        }
        if (candidates != null && step.wantsLogits()) {
            candidates.join(step, halves.first(), halves.second());
        }
        if (logits != null && step.fullRows()) {
            logits.join(step, halves.first(), halves.second());
        }
        if (hidden != null && step.hiddenRows()) {
            hidden.join(step, halves.first(), halves.second());
        }
    }
}
