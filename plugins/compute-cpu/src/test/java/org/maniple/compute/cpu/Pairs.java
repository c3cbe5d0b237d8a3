package org.maniple.compute.cpu;

import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.PairRows;
import org.maniple.api.tensor.Tensor;

/** Makes ragged tensors. */
final class Pairs {

    private Pairs() {}

    /** As many rows for each slot as said, each of a token of its own. */
    static PairRows ofSizes(int... sizes) {
        int rows = 0;
        for (int size : sizes) {
            rows += size;
        }
        var pairs = new PairRows(sizes.length, 1, rows, rows);
        fill(pairs, sizes);
        return pairs;
    }

    /** Fills it anew. */
    static void fill(PairRows pairs, int... sizes) {
        int rows = 0;
        for (int size : sizes) {
            rows += size;
        }
        pairs.begin(rows);
        int token = 0;
        for (int slot = 0; slot < sizes.length; slot++) {
            for (int i = 0; i < sizes[slot]; i++) {
                pairs.add(slot, token++, 0);
            }
        }
        pairs.end();
    }

    static Tensor zeros(PairRows pairs, int... shape) {
        return Tensors.zeros(shape).ragged(pairs);
    }

    /** The same memory as another tensor of floats. */
    static Tensor over(Tensor tensor, PairRows pairs) {
        return Tensor.of(DType.F32, Tensors.shape(tensor), tensor.segment()).ragged(pairs);
    }
}
