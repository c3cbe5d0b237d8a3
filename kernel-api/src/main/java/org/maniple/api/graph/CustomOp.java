package org.maniple.api.graph;

/** An operation that a plugin brings. It comes with its own implementation, which is what runs unless a back end knows better. */
public non-sealed interface CustomOp extends Op {

    /**
     * Computes the operation on this rank's pieces. Straightforward and single-threaded; it must compute each row by itself, in the
     * same way whatever the number of rows, and must not allocate.
     *
     * @param call the operands on this rank
     * @param step the step
     */
    void compute(OpCall call, org.maniple.api.step.Step step);

    /**
     * Attributes in a listing and in the fingerprint of a program.
     *
     * @return everything that the result depends upon
     */
    default String attributes() {
        return toString();
    }
}
