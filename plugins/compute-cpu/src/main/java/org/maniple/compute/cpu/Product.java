package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Products of rows of weights with rows of activations. Each result is the same sum whatever rows are computed together: that of its
 * leaves, each summed by itself. Rows are counted from the beginning of the weight's memory, or that of a slot, since some layouts hold
 * several rows together. Safe for use by several threads.
 */
interface Product {

    /** What makes activations ready for it; empty if it reads floats as they are. */
    default Optional<Preparation> preparation() {
        return Optional.empty();
    }

    /** A row's own elements. */
    int count();

    /** Bytes of weights of a chunk, at most: what stays in a cache while all rows of activations pass over it, unless it sees to that itself. */
    default int chunkBytes() {
        return 128 * 1024;
    }

    /** Bytes of weights for each row, for the size of chunks. */
    long rowBytes();

    /** A run of weight rows that is computed begins at a multiple of this, counted in the matrix, and ends at one or with the matrix. */
    default int rowsTogether() {
        return 1;
    }

    /** Room that it needs in {@link Scratch#panel}. */
    long panelBytes();

    /** Room that it needs in {@link Scratch#floats}. */
    default int panelFloats() {
        return 0;
    }

    /**
     * Computes {@code out[m][n] = x[m] · w[n]}. Allocates nothing. All offsets and strides are in bytes.
     *
     * @param w the memory of the weights
     * @param firstRow the first row of weights
     * @param factors of the blocks of the weights, row by row as {@code w}; not read if the weights are what they are
     * @param columns rows of {@code w}
     * @param x rows of activations, prepared for the product
     * @param xAt where row 0 of them begins
     * @param xRow the first of the rows to multiply with: it begins at {@code xAt + xRow * xStride}, if a preparation does not lay
     *        several rows together
     * @param rows how many; {@code out} has no others
     * @param out receives floats
     * @param scratch of the thread
     */
    void compute(MemorySegment w, long firstRow, MemorySegment factors, int columns, MemorySegment x, long xAt, long xStride,
            int xRow, int rows, MemorySegment out, long outAt, long outStride, Scratch scratch);

    /** Writes a row's own elements as floats, with their factors. Allocates nothing. */
    void widen(MemorySegment w, long row, MemorySegment factors, MemorySegment out, long to, Scratch scratch);
}
