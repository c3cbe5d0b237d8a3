package org.maniple.compute.cpu;

import java.util.Optional;
import org.maniple.api.graph.OpCall;
import org.maniple.api.step.Step;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/**
 * The operands of latent attention.
 *
 * @param queries {@code [rows, heads, n]}
 * @param turnedQueries {@code [rows, heads, r]}
 * @param latents {@code [slots, l]}
 * @param turnedKeys {@code [slots, r]}
 * @param keyMap {@code heads · n} rows of {@code l}
 * @param valueMap {@code heads · v} rows of {@code l}
 * @param out {@code [rows, heads, v]}
 */
record LatentAttention(Tensor queries, Tensor turnedQueries, CachedState latents, CachedState turnedKeys, WeightMatrix keyMap,
        WeightMatrix valueMap, Tensor out) {

    /** The operands of a call; empty if there are no kernels for their types. */
    static Optional<LatentAttention> of(OpCall call, Products products) {
        boolean floats = call.inputs().stream().limit(2).allMatch(tensor -> tensor.dtype() == DType.F32);
        Optional<CachedState> latents = CachedState.of(call.input(2));
        Optional<CachedState> turnedKeys = CachedState.of(call.input(3));
        Tensor keyMap = call.input(4);
        Tensor valueMap = call.input(5);
        Tensor out = call.output(0);
        if (!floats || !latents.map(CachedState::form).equals(turnedKeys.map(CachedState::form)) || latents.isEmpty()
                || keyMap.stacked() || valueMap.stacked()) {
            return Optional.empty();
        }
        int[] length = {call.input(2).width()};
        int heads = out.extent(1);
        int keyRows = heads * call.input(0).extent(2);
        int valueRows = heads * out.extent(2);
        check(call, keyMap, keyRows, length[0]);
        check(call, valueMap, valueRows, length[0]);
        // Floats whatever the session may do: a map is applied to queries, of which there are few, and to sums of latents.
        return WeightMatrix.of(products, keyMap, keyRows, length, ActivationForm.F32).flatMap(keys -> WeightMatrix
                .of(products, valueMap, valueRows, length, ActivationForm.F32)
                .map(values -> new LatentAttention(call.input(0), call.input(1), latents.get(), turnedKeys.orElseThrow(), keys,
                        values, out)));
    }

    private static void check(OpCall call, Tensor map, int rows, int length) {
        if ((long) map.extent(0) * map.width() != (long) rows * length) {
            throw new IllegalArgumentException(
                    call.node() + ": a map of " + map + " where " + rows + " rows of " + length + " elements are read");
        }
    }

    int heads() {
        return out.extent(1);
    }

    /** Elements of a head's query that is not turned, and of what its key map makes of a latent. */
    int keyLength() {
        return queries.extent(2);
    }

    int turnedLength() {
        return turnedQueries.extent(2);
    }

    int valueLength() {
        return out.extent(2);
    }

    int latentLength() {
        return latents.width();
    }

    /** What latents and turned keys are held as. */
    CacheForm form() {
        return latents.form();
    }

    /** Positions that all rows see together. */
    long seen(Step step) {
        long seen = 0;
        for (int row = 0; row < out.rows(); row++) {
            seen += step.position(row) + 1;
        }
        return seen;
    }

    /** Positions from one on that lie in memory one after the other: to the end of the block, or another one. */
    static int run(Step step, int position, int end) {
        return Math.min(step.blockSize() - position % step.blockSize(), end - position);
    }
}
