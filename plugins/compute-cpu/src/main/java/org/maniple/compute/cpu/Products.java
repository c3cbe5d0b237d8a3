package org.maniple.compute.cpu;

import java.util.Optional;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.WeightLayout;

/**
 * A set of ways to multiply activations with weights. One set may stand in front of another and ask it for what it has no way of its own
 * for. All sets give the same bits for the same form of activations, unless they say otherwise. Called while kernels are compiled, by the
 * rank's own thread.
 */
interface Products {

    /**
     * The form of activations for weights of a type.
     *
     * @param type the type of the weights
     * @param precision what may be done to activations
     */
    ActivationForm form(DType type, Precision precision);

    /**
     * Products with the rows of a weight.
     *
     * @param weight its type, its layout, how its rows are held, and the blocks of its factors are looked at, not its memory
     * @param leafEnds where the leaves of a row's sums end, counted in the row's own elements; the last one is their number. For
     *        {@link ActivationForm#INT8} each lies on a multiple of 32 held elements
     * @param form of the activations
     * @return empty if there are none
     */
    Optional<Product> product(Tensor weight, int[] leafEnds, ActivationForm form);

    /**
     * The layout in which a weight should be held. Unlike everything else this may be asked by several threads.
     *
     * @param weight how it is stored and what reads it
     * @param precision what may be done to activations
     * @return empty if it is to be held as it is stored
     */
    default Optional<WeightLayout> layout(WeightLayout.Weight weight, Precision precision) {
        return Optional.empty();
    }

    /** What computes products of a type's weights with activations of a form, for the line at the start: {@code vector api int8}. */
    String describe(DType type, ActivationForm form);
}
