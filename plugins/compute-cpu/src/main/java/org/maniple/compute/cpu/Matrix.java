package org.maniple.compute.cpu;

import java.util.List;
import java.util.Optional;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/**
 * A contraction as a product of plain matrices: {@code x[rows, summed] · weights[columns, summed] -> out[rows, columns]}.
 *
 * @param x floats
 * @param weights of any type that {@link WeightRows} knows
 * @param out floats
 * @param product the kernels for the type of the weights
 */
record Matrix(Tensor x, Tensor weights, Tensor out, Product product) {

    /** Bytes of weights that a chunk reads at most: they stay in the second-level cache while all rows pass over them. */
    private static final int CHUNK_BYTES = 128 * 1024;
    /** Columns of a chunk are a multiple of this, unless it is the last. */
    private static final int STEP = 8;

    /** The matrices of a contraction; empty if it has batch axes, or dimensions in another order, or types without kernels. */
    static Optional<Matrix> of(OpCall call) {
        Tensor x = call.input(0);
        Tensor weights = call.input(1);
        Tensor out = call.output(0);
        List<Dim> inner = call.node().inputs().get(0).dims();
        List<Dim> outer = call.node().outputs().getFirst().dims();
        List<Dim> both = call.node().inputs().get(1).dims();
        int split = outer.size() - 1;
        boolean plain = both.size() == split + inner.size() - 1
                && both.subList(0, split).equals(outer.subList(1, outer.size()))
                && both.subList(split, both.size()).equals(inner.subList(1, inner.size()));
        if (!plain || x.dtype() != DType.F32 || out.dtype() != DType.F32) {
            return Optional.empty();
        }
        long elements = 1;
        for (int i = 0; i < weights.rank(); i++) {
            elements *= weights.extent(i);
        }
        if (elements != (long) x.width() * out.width()) {
            throw new IllegalArgumentException(call.node() + ": a weight of " + weights + " cannot join " + x + " to " + out);
        }
        return WeightRows.of(weights.dtype()).map(rows -> new Matrix(x, weights, out, new Product(rows, x.width())));
    }

    int columns() {
        return out.width();
    }

    /** Multiplications for each row. */
    long work() {
        return (long) x.width() * out.width();
    }

    /** Columns of a chunk: few enough for the cache, and for every thread to get several. */
    int chunkColumns(int threads) {
        long rowBytes = Math.max(1, (long) x.width() * weights.dtype().bytes());
        long cached = Math.clamp(CHUNK_BYTES / rowBytes, STEP, 64 * STEP);
        long shared = Math.max(STEP, columns() / (4L * threads));
        return (int) (Math.min(cached, shared) / STEP) * STEP;
    }

    /** Computes some of the columns for all rows in use. */
    void compute(int from, int to, float[] lanes) {
        long rowBytes = (long) product.count() * weights.dtype().bytes();
        long outBytes = 4L * columns();
        product.compute(weights.segment(), from * rowBytes, rowBytes, to - from, x.segment(), 0, 4L * product.count(), out.rows(),
                out.segment(), 4L * from, outBytes, lanes);
    }
}
