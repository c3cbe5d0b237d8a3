package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import org.maniple.api.tensor.CachedRows;
import org.maniple.api.tensor.Tensor;

/** States that are held in some form, and what that makes of their elements. */
final class States {

    private States() {}

    /** Zeros. */
    static Tensor empty(CacheForm form, int... shape) {
        return form.tensor(shape, bytes -> Arena.ofAuto().allocate(bytes, 64));
    }

    /** Random numbers, rounded to the form. */
    static Tensor random(CacheForm form, long seed, int... shape) {
        Tensor floats = Tensors.random(seed, shape);
        Tensor state = empty(form, shape);
        for (int slot = 0; slot < shape[0]; slot++) {
            CachedRows.store(state, slot, floats.segment(), 4L * slot * floats.width());
        }
        return state;
    }

    /** A state of floats with the same elements. */
    static Tensor floats(Tensor state, int... shape) {
        Tensor floats = Tensors.zeros(shape);
        for (long i = 0; i < (long) state.rows() * state.width(); i++) {
            floats.segment().setAtIndex(JAVA_FLOAT, i, CachedRows.element(state, i));
        }
        return floats;
    }
}
