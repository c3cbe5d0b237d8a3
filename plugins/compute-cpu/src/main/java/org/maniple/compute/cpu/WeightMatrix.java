package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.maniple.api.tensor.BlockScales;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.Tensor;

/**
 * A weight as rows to multiply with, for each slot a matrix. The memory of a slot is asked for in every call, since it may be replaced
 * between steps.
 */
final class WeightMatrix {

    private final Tensor stored;
    /** The factors of a scaled weight. */
    private final @Nullable Tensor factors;
    /** What stands for them where there are none. */
    private final MemorySegment unscaled;
    /** Kernels that read the elements, unless they are FP8. */
    private final @Nullable WeightRows plain;
    private final Product product;
    private final int rows;
    private final int blocks;

    private WeightMatrix(Tensor stored, @Nullable Tensor factors, @Nullable WeightRows plain, Product product, int rows,
            int blocks) {
        this.stored = stored;
        this.factors = factors;
        this.plain = plain;
        this.product = product;
        this.rows = rows;
        this.blocks = blocks;
        this.unscaled = Arena.ofAuto().allocate(Float.BYTES, 64);
        unscaled.set(JAVA_FLOAT_UNALIGNED, 0, 1f);
    }

    /**
     * A weight.
     *
     * @param stored its memory
     * @param rows rows of a slot, or of the whole if there are no slots
     * @param leafEnds where the leaves of a row's sums end; the last one is the length of a row
     * @return empty if there are no kernels for its type, or none for it with factors
     */
    static Optional<WeightMatrix> of(Tensor stored, int rows, int[] leafEnds) {
        int length = leafEnds[leafEnds.length - 1];
        if (stored.dtype() != DType.F8_E4M3) {
            return stored.scales().isPresent()
                    ? Optional.empty()
                    : WeightRows.of(stored.dtype()).map(
                            kernels -> new WeightMatrix(stored, null, kernels, new PlainProduct(kernels, leafEnds), rows, 0));
        }
        if (stored.scales().isEmpty()) {
            return Optional.of(
                    new WeightMatrix(stored, null, null, new ScaledProduct(leafEnds, List.of(length), true), rows, 0));
        }
        BlockScales scales = stored.scales().get();
        if (scales.factors().dtype() != DType.F32 || scales.factors().stacked() != stored.stacked()) {
            return Optional.empty();
        }
        if (length > 0 && scales.ends().getLast() != length) {
            throw new IllegalArgumentException("blocks that end at " + scales.ends() + " do not cut rows of " + length
                    + " elements of " + stored);
        }
        return Optional.of(new WeightMatrix(stored, scales.factors(), null,
                new ScaledProduct(leafEnds, scales.ends(), false), rows, scales.ends().size()));
    }

    /** Elements of a row. */
    int count() {
        return product.count();
    }

    /** Bytes of a row. */
    long rowBytes() {
        return (long) product.count() * stored.dtype().bytes();
    }

    private MemorySegment memory(int slot) {
        return stored.stacked() ? stored.slot(slot) : stored.segment();
    }

    private long begin(int slot, int row) {
        return ((stored.stacked() ? 0 : (long) slot * rows) + row) * rowBytes();
    }

    private MemorySegment factorMemory(int slot) {
        if (factors == null) {
            return unscaled;
        }
        return factors.stacked() ? factors.slot(slot) : factors.segment();
    }

    private long factorBegin(int slot, int row) {
        return factors == null ? 0 : 4L * blocks * ((factors.stacked() ? 0 : (long) slot * rows) + row);
    }

    /** Computes {@code out[m][n] = x[m] · weight[from + n]} with the matrix of a slot. Offsets and strides are in bytes. */
    void multiply(int slot, int from, int columns, MemorySegment x, long xAt, long xStride, int xRows, MemorySegment out,
            long outAt,
            long outStride, Scratch scratch) {
        product.compute(memory(slot), begin(slot, from), rowBytes(), factorMemory(slot), factorBegin(slot, from), columns, x, xAt,
                xStride, xRows, out, outAt, outStride, scratch);
    }

    /** Room that the products need in {@link Scratch#panel}. */
    long panelBytes() {
        return product.panelBytes();
    }

    /** Writes a row of a slot as floats, with its factors. */
    void widen(int slot, int row, MemorySegment out, long to) {
        switch (product) {
            case PlainProduct same when plain != null -> plain.widen(memory(slot), begin(slot, row), out, to, same.count());
            case PlainProduct same -> throw new IllegalStateException("no kernels for " + stored);
            case ScaledProduct scaled ->
                scaled.widen(memory(slot), begin(slot, row), factorMemory(slot), factorBegin(slot, row), out, to);
        }
    }
}
