package org.maniple.kernel.engine;

import org.maniple.kernel.step.StepBatch;

/** A batch with the sequences of its spans. */
final class Flight {

    private final Sequence[] sequences;
    private StepBatch batch;
    private int streams;
    private boolean besidePrompts;
    private int answering;
    private int promptTokens;
    private int promptPosition;

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

    /** Begins to be planned. */
    void begin() {
        answering = 0;
        promptTokens = 0;
    }

    /** What a home does in it, beside others: they go through a step together. */
    void has(int sequencesAnswering, int tokensOfPrompts) {
        answering = Math.max(answering, sequencesAnswering);
        promptTokens = Math.max(promptTokens, tokensOfPrompts);
    }

    /** Streams that run meanwhile, in this batch or in others. */
    void streams(int running) {
        streams = running;
    }

    int streams() {
        return streams;
    }

    /** Where the first prompt in it goes on. */
    void promptPosition(int position) {
        promptPosition = position;
    }

    int promptPosition() {
        return promptPosition;
    }

    /** Whether prompts are in flight beside it when it departs. */
    void besidePrompts(boolean are) {
        besidePrompts = are;
    }

    boolean besidePrompts() {
        return besidePrompts;
    }

    int answering() {
        return answering;
    }

    int promptTokens() {
        return promptTokens;
    }

    void board(int span, Sequence sequence) {
        sequences[span] = sequence;
        sequence.depart();
    }

    Sequence sequence(int span) {
        return sequences[span];
    }
}
