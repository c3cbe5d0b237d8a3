package org.maniple.compute.cpu;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.graph.OpCall;

/**
 * What the kernels of a session have in common.
 *
 * @param workers its threads
 * @param scratch memory of each thread
 * @param room memory for prepared inputs
 * @param products how it multiplies
 * @param precision what it may do to activations
 * @param attention memory for attention
 * @param functions what computes everything but products, if not the Vector API
 */
record Shared(Workers workers, Scratch[] scratch, SharedRoom room, Products products, Precision precision,
        AttendMemory attention, Optional<NativeFunctions> functions) {

    /** Of some threads, that do what the Vector API can. */
    static Shared of(Workers workers, Products products, Precision precision) {
        return of(workers, products, precision, Optional.empty());
    }

    /** Of some threads. */
    static Shared of(Workers workers, Products products, Precision precision, Optional<NativeFunctions> functions) {
        Scratch[] scratch = Scratch.of(workers.threads());
        return new Shared(workers, scratch, new SharedRoom(), products, precision,
                new AttendMemory(scratch, functions, precision.reduced() && !precision.exact()), functions);
    }

    /** What stores rows of states in C, if it is to be used for a form. */
    @Nullable
    NativeRows stores(CacheForm form) {
        return functions.filter(found -> found.forms().contains(form)).map(NativeFunctions::rows).orElse(null);
    }

    /** Operations on rows in C, if they are to be used. */
    @Nullable
    NativeRows rows() {
        return functions.map(NativeFunctions::rows).orElse(null);
    }

    /** The matrices of a contraction; see {@link Matrix#of}. */
    Optional<Matrix> matrix(OpCall call) {
        return Matrix.of(call, products, precision);
    }

    /** The input of contractions that have the same one. */
    PreparedInput input(List<Matrix> matrices) {
        return input(matrices, null);
    }

    /** The input of contractions that have the same one, which is made just before, row by row. */
    PreparedInput input(List<Matrix> matrices, @Nullable RowWise before) {
        return new PreparedInput(workers, room, matrices, before);
    }
}
