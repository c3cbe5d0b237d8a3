package org.maniple.kernel.engine;

import org.maniple.api.transport.TransportException;
import org.maniple.kernel.step.StepBatch;

/**
 * The ranks of a unit as the engine sees them: batches in, logits out, in the same order. Used by the engine's thread alone. A method that
 * throws leaves the pipeline unusable.
 */
public interface StepPipeline {

    /**
     * How many steps may be in flight, besides the passes that guess from steps before.
     *
     * @return the number of stages, at least 1
     */
    int depth();

    /**
     * What a batch has room for.
     *
     * @return the same at all times
     */
    StepBatch.Limits limits();

    /**
     * How many numbers a row of the hidden state has.
     *
     * @return 0 if batches must not ask for it
     */
    default int hiddenWidth() {
        return 0;
    }

    /**
     * A batch to fill. There is one while fewer than {@link #depth()} are in flight, and as many again where the unit has a layer that guesses; it
     * is not the one whose results came last.
     *
     * @return a batch with any contents, the caller's until it is submitted
     */
    StepBatch begin();

    /**
     * Sends a batch to all ranks and runs rank 0's part of it.
     *
     * @param batch the batch that {@link #begin()} gave; the pipeline's until its results have been used
     * @throws TransportException if a rank cannot be reached
     */
    void submit(StepBatch batch);

    /**
     * Waits for the results of the oldest batch that was submitted and not awaited. The wait has a limit.
     *
     * @return the results; valid until the next call of {@link #begin()} or {@link #await()}
     * @throws TransportException if they do not come
     */
    StepResults await();

    /** Called about once a second while nothing runs. */
    void idle();

    /** Tells all ranks to leave their loops. The last call. */
    void shutdown();
}
