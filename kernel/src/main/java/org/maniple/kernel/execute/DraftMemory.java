package org.maniple.kernel.execute;

import java.lang.foreign.MemorySegment;
import java.util.function.LongFunction;
import org.maniple.api.tensor.Tensor;
import org.maniple.kernel.step.StepBatch;
import org.maniple.kernel.step.StepView;

/**
 * What the passes that guess further tokens go on from: the rows that the last steps have made of their tokens. A pass comes before its rows could be
 * overwritten, since no more steps are on their way than are kept here. Used by the rank's own thread; allocates nothing once it is made.
 */
final class DraftMemory {

    private final Tensor source;
    private final Tensor hidden;
    private final StepView view;
    private final long rowBytes;
    private final MemorySegment[] kept;
    private final int[] first;
    private final long[] steps;

    /**
     * @param source what steps make, of the tokens that the view shows
     * @param hidden what passes read, of the tokens that the view shows
     * @param count how many steps may be on their way
     */
    DraftMemory(Tensor source, Tensor hidden, StepView view, int count, LongFunction<MemorySegment> memory) {
        this.source = source;
        this.hidden = hidden;
        this.view = view;
        rowBytes = (long) Float.BYTES * source.width();
        kept = new MemorySegment[count];
        for (int i = 0; i < count; i++) {
            kept[i] = memory.apply(rowBytes * source.extent(0));
        }
        first = new int[count];
        steps = new long[count];
        java.util.Arrays.fill(steps, -1);
    }

    /** Keeps what the step has made that has just been computed. */
    void keep(StepBatch step) {
        int slot = slot(step);
        MemorySegment.copy(source.segment(), 0, kept[slot], 0, rowBytes * view.tokens());
        first[slot] = view.firstToken();
        steps[slot] = step.stepNumber();
    }

    /** Gives a pass that begins the rows that it goes on from. */
    void recall(StepBatch pass) {
        int slot = slot(pass);
        if (steps[slot] != pass.stepNumber()) {
            throw new IllegalStateException("The rows of step " + pass.stepNumber() + " are wanted for guessing; those of step "
                    + steps[slot] + " are there");
        }
        for (int span = 0; span < view.spans(); span++) {
            int from = pass.source(view.firstSpan() + span) - first[slot];
            MemorySegment.copy(kept[slot], rowBytes * from, hidden.segment(), rowBytes * view.spanStart(span),
                    rowBytes * view.spanLength(span));
        }
    }

    private int slot(StepBatch batch) {
        return (int) (batch.stepNumber() % kept.length);
    }
}
