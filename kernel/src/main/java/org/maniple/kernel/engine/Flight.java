package org.maniple.kernel.engine;

import org.maniple.kernel.step.StepBatch;

/** A batch with the sequences of its spans. */
final class Flight {

    private final Sequence[] sequences;
    private StepBatch batch;

    Flight(StepBatch batch) {
        this.batch = batch;
        sequences = new Sequence[batch.limits().allSpans()];
    }

    StepBatch batch() {
        return batch;
    }

    void use(StepBatch next) {
        batch = next;
    }

    void board(int span, Sequence sequence) {
        sequences[span] = sequence;
        sequence.depart();
    }

    Sequence sequence(int span) {
        return sequences[span];
    }
}
