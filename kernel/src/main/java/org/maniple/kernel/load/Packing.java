package org.maniple.kernel.load;

import java.util.Optional;
import java.util.function.Function;
import org.maniple.api.tensor.WeightLayout;

/**
 * How weights are brought into the layouts that a back end wants.
 *
 * @param layouts the layout of a weight; empty: it is held as it is stored. Called by any thread
 * @param threads how many pack at the same time while a rank loads
 */
public record Packing(Function<WeightLayout.Weight, Optional<WeightLayout>> layouts, int threads) {

    /** Every weight is held as it is stored. */
    public static final Packing NONE = new Packing(weight -> Optional.empty(), 1);

    /** Checks the number. */
    public Packing {
        if (threads < 1) {
            throw new IllegalArgumentException(threads + " threads");
        }
    }
}
