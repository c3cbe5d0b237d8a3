package org.maniple.compute.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
    private final Product product;
    private final int rows;

    private WeightMatrix(Tensor stored, @Nullable Tensor factors, Product product, int rows) {
        this.stored = stored;
        this.factors = factors;
        this.product = product;
        this.rows = rows;
        this.unscaled = Arena.ofAuto().allocate(Float.BYTES, 64);
        unscaled.set(JAVA_FLOAT_UNALIGNED, 0, 1f);
    }

    /**
     * A weight.
     *
     * @param stored its memory
     * @param rows rows of a slot, or of the whole if there are no slots
     * @param leafEnds where the leaves of a row's sums end; the last one is the length of a row
     * @param form of what it is multiplied with
     * @return empty if there are no products for its type, or none for it with factors
     */
    static Optional<WeightMatrix> of(Products products, Tensor stored, int rows, int[] leafEnds, ActivationForm form) {
        int length = leafEnds[leafEnds.length - 1];
        if (form == ActivationForm.INT8) {
            BlockLeaves.check(stored, leafEnds);
        }
        Tensor factors = null;
        if (stored.scales().isPresent()) {
            BlockScales scales = stored.scales().get();
            if (stored.dtype() != DType.F8_E4M3 || scales.factors().dtype() != DType.F32
                    || scales.factors().stacked() != stored.stacked()) {
                return Optional.empty();
            }
            if (length > 0 && scales.ends().getLast() != length) {
                throw new IllegalArgumentException("blocks that end at " + scales.ends() + " do not cut rows of " + length
                        + " elements of " + stored);
            }
            factors = scales.factors();
        }
        Tensor scaled = factors;
        return products.product(stored, leafEnds, form).map(product -> new WeightMatrix(stored, scaled, product, rows));
    }

    /** Elements of a row that are its own. */
    int count() {
        return product.count();
    }

    /** See {@link Product#preparation}. */
    Optional<Preparation> preparation() {
        return product.preparation();
    }

    /** Bytes of a row, about. */
    long rowBytes() {
        return product.rowBytes();
    }

    /** See {@link Product#chunkBytes}. */
    int chunkBytes() {
        return product.chunkBytes();
    }

    /** See {@link Product#rowsTogether}. */
    int rowsTogether() {
        return product.rowsTogether();
    }

    private static MemorySegment memory(Tensor tensor, int slot) {
        return tensor.stacked() ? tensor.slot(slot) : tensor.segment();
    }

    private MemorySegment factorMemory(int slot) {
        return factors == null ? unscaled : memory(factors, slot);
    }

    private long row(int slot, int row) {
        return (stored.stacked() ? 0 : (long) slot * rows) + row;
    }

    /** Computes {@code out[m][n] = x[m] · weight[from + n]} with the matrix of a slot. Offsets and strides are in bytes. */
    void multiply(int slot, int from, int columns, MemorySegment x, long xAt, long xStride, int xRow, int xRows,
            MemorySegment out,
            long outAt, long outStride, Scratch scratch) {
        product.compute(memory(stored, slot), row(slot, from), factorMemory(slot), columns, x, xAt, xStride, xRow, xRows, out,
                outAt,
                outStride, scratch);
    }

    /** Makes the memory of a thread have room for what the products need there. */
    void reserve(Scratch scratch) {
        scratch.reserve(product.panelBytes(), product.panelFloats());
    }

    /** Writes a row of a slot as floats, with its factors. */
    void widen(int slot, int row, MemorySegment out, long to, Scratch scratch) {
        product.widen(memory(stored, slot), row(slot, row), factorMemory(slot), out, to, scratch);
    }
}
