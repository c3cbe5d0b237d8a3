package org.maniple.compute.cpu;

import java.util.List;
import java.util.Optional;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.OpCall;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/**
 * A contraction as a product of plain matrices: {@code x[rows, summed] · weights[columns, summed] -> out[rows, columns]}; of a ragged
 * {@code x} the rows of each slot with the slot's matrix.
 *
 * @param x floats, which {@link PreparedInput} makes what the weights are multiplied with
 * @param weights of any type that has kernels
 * @param out floats
 */
record Matrix(Tensor x, WeightMatrix weights, Tensor out) {

    /**
     * The matrices of a contraction; empty if it has other batch axes than that of the experts, or dimensions in another order, or types
     * without kernels.
     */
    static Optional<Matrix> of(OpCall call, Products products, Precision precision) {
        Tensor x = call.input(0);
        Tensor weights = call.input(1);
        Tensor out = call.output(0);
        if (!plain(call) || x.dtype() != DType.F32 || out.dtype() != DType.F32) {
            return Optional.empty();
        }
        long elements = weights.stacked() || x.ragged() ? 1 : weights.extent(0);
        for (int i = 1; i < weights.rank(); i++) {
            elements *= weights.extent(i);
        }
        boolean slots = !x.ragged() || weights.extent(0) == x.pairs().slots();
        if (elements != (long) x.width() * out.width() || !slots) {
            throw new IllegalArgumentException(call.node() + ": a weight of " + weights + " cannot join " + x + " to " + out
                    + (x.ragged() ? " with " + x.pairs().slots() + " slots" : ""));
        }
        return WeightMatrix
                .of(products, weights, out.width(), Leaves.ends(call.leaves(), x.width()),
                        products.form(weights.dtype(), precision))
                .map(matrix -> new Matrix(x, matrix, out));
    }

    private static boolean plain(OpCall call) {
        boolean ragged = call.input(0).ragged();
        int rowDims = ragged ? 2 : 1;
        List<Dim> inner = call.node().inputs().get(0).dims();
        List<Dim> outer = call.node().outputs().getFirst().dims();
        List<Dim> both = call.node().inputs().get(1).dims();
        if (ragged && (both.isEmpty() || !both.getFirst().axis().equals(Axes.EXPERTS) || !call.output(0).ragged())) {
            return false;
        }
        List<Dim> matrix = both.subList(rowDims - 1, both.size());
        List<Dim> columns = outer.subList(rowDims, outer.size());
        List<Dim> summed = inner.subList(rowDims, inner.size());
        return matrix.size() == columns.size() + summed.size() && matrix.subList(0, columns.size()).equals(columns)
                && matrix.subList(columns.size(), matrix.size()).equals(summed);
    }

    int columns() {
        return out.width();
    }

    /** Multiplications for each row. */
    long work() {
        return (long) x.width() * out.width();
    }

    /**
     * Computes some of the columns for a run of rows.
     *
     * @param input the input
     * @param number this matrix, as the input counts them
     */
    void compute(PreparedInput input, int number, SlotRuns runs, int run, int from, int to, Scratch scratch) {
        int row = runs.from(run);
        long outBytes = 4L * columns();
        weights.multiply(runs.slot(run), from, to - from, input.memory(number), input.begin(number), input.stride(number), row,
                runs.to(run) - row, out.segment(), row * outBytes + 4L * from, outBytes, scratch);
    }
}
