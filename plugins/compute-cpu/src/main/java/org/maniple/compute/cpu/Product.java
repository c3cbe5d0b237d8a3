package org.maniple.compute.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Products of a few rows of weights with rows of floats. Each result is the same sum whatever rows are computed together: that of its
 * leaves, each summed by itself.
 */
sealed interface Product permits PlainProduct, ScaledProduct {

    /** Elements of a row. */
    int count();

    /** Room that it needs in {@link Scratch#panel}. */
    long panelBytes();

    /**
     * Computes {@code out[m][n] = x[m] · w[n]}. All offsets and strides are in bytes.
     *
     * @param rows rows of {@code x}
     * @param columns rows of {@code w}
     * @param factors of the blocks of the weights; not read if the weights are what they are
     * @param factorsAt where those of the first row begin
     * @param scratch of the thread
     */
    void compute(MemorySegment w, long wAt, long wStride, MemorySegment factors, long factorsAt, int columns, MemorySegment x,
            long xAt, long xStride, int rows, MemorySegment out, long outAt, long outStride, Scratch scratch);
}
