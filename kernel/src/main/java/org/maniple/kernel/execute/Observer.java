package org.maniple.kernel.execute;

import org.maniple.api.step.Step;
import org.maniple.api.tensor.Tensor;
import org.maniple.kernel.program.Piece;

/** Sees the values of a step as they are made; for tests and traces. An executor that is observed computes nothing fused away. */
@FunctionalInterface
public interface Observer {

    /**
     * A piece has been computed or exchanged.
     *
     * @param piece what it is
     * @param tensor this rank's piece; valid during the call
     * @param step the step
     */
    void made(Piece piece, Tensor tensor, Step step);
}
