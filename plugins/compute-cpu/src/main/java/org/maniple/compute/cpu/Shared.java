package org.maniple.compute.cpu;

import java.util.List;
import java.util.Optional;
import org.maniple.api.graph.OpCall;

/**
 * What the kernels of a session have in common.
 *
 * @param workers its threads
 * @param scratch memory of each thread
 * @param room memory for prepared inputs
 * @param products how it multiplies
 * @param precision what it may do to activations
 */
record Shared(Workers workers, Scratch[] scratch, SharedRoom room, Products products, Precision precision) {

    /** Of some threads, that do what the Vector API can. */
    static Shared of(Workers workers, Products products, Precision precision) {
        return new Shared(workers, Scratch.of(workers.threads()), new SharedRoom(), products, precision);
    }

    /** The matrices of a contraction; see {@link Matrix#of}. */
    Optional<Matrix> matrix(OpCall call) {
        return Matrix.of(call, products, precision);
    }

    /** The input of contractions that have the same one. */
    PreparedInput input(List<Matrix> matrices) {
        return new PreparedInput(workers, room, matrices);
    }
}
