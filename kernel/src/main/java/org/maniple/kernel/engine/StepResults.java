package org.maniple.kernel.engine;

import java.lang.foreign.MemorySegment;
import org.maniple.kernel.step.StepBatch;

/** What came out of a batch. */
public interface StepResults {

    /**
     * The batch.
     *
     * @return as it was submitted
     */
    StepBatch batch();

    /**
     * The number of rows.
     *
     * @return the batch's selected rows
     */
    int rows();

    /**
     * The best candidates of each row, as {@link org.maniple.api.graph.BuiltinOp.TopK} lays them out.
     *
     * @return {@code [rows, 2·k + 2]} float32, native byte order
     */
    MemorySegment candidates();

    /**
     * How many candidates a row has.
     *
     * @return at least 1
     */
    int k();

    /**
     * The whole rows.
     *
     * @return {@code [rows, vocabulary]} float32, native byte order; an empty segment unless the batch asked for {@link StepBatch#fullRows()}
     */
    MemorySegment logits();

    /**
     * What the model knows at the rows.
     *
     * @return {@code [rows, StepPipeline.hiddenWidth()]} float32, native byte order; an empty segment unless the batch asked for
     *     {@link StepBatch#hiddenRows()}
     */
    default MemorySegment hidden() {
        return MemorySegment.NULL;
    }
}
