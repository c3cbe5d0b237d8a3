package org.maniple.api.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A dense, row-major tensor over memory that somebody else owns and that outlives it. The first dimension counts rows; for
 * activations the number of rows in use changes from step to step while the memory stays where it is, so that kernels can be bound to
 * tensors once and run without allocating.
 *
 * <p>Not safe for use by several threads while {@link #rows(int)} is called; the rank's own thread does that between kernels.
 */
public final class Tensor {

    private final DType dtype;
    private final int[] shape;
    private final int width;
    private final MemorySegment segment;
    private int rows;

    private Tensor(DType dtype, int[] shape, MemorySegment segment) {
        this.dtype = dtype;
        this.shape = shape.clone();
        this.segment = segment;
        long product = 1;
        for (int i = 1; i < shape.length; i++) {
            product = Math.multiplyExact(product, shape[i]);
        }
        this.width = Math.toIntExact(product);
        this.rows = shape.length == 0 ? 1 : shape[0];
        long needed = Math.multiplyExact((long) rows, Math.multiplyExact(product, dtype.bytes()));
        if (segment.byteSize() < needed) {
            throw new IllegalArgumentException(
                    "a " + dtype + Arrays.toString(shape) + " needs " + needed + " bytes, the segment has "
                            + segment.byteSize());
        }
    }

    /**
     * A tensor over a segment.
     *
     * @param dtype type of the elements
     * @param shape extents, outermost first; for activations the first one is the capacity in rows
     * @param segment its memory, at least as large as the shape needs; not copied
     * @return the tensor, with all its rows in use
     */
    public static Tensor of(DType dtype, int[] shape, MemorySegment segment) {
        return new Tensor(dtype, shape, segment);
    }

    /**
     * The type of the elements.
     *
     * @return the type
     */
    public DType dtype() {
        return dtype;
    }

    /**
     * The memory, from the first element on.
     *
     * @return the segment that the tensor was made with
     */
    public MemorySegment segment() {
        return segment;
    }

    /**
     * The number of dimensions.
     *
     * @return at least 0
     */
    public int rank() {
        return shape.length;
    }

    /**
     * One extent of the shape that the tensor was made with; for the first dimension that is the capacity.
     *
     * @param dimension counted from 0, outermost first
     * @return the extent
     */
    public int extent(int dimension) {
        return shape[dimension];
    }

    /**
     * Elements per row: the product of all extents but the first.
     *
     * @return at least 0
     */
    public int width() {
        return width;
    }

    /**
     * Rows in use.
     *
     * @return at most the first extent
     */
    public int rows() {
        return rows;
    }

    /**
     * Sets the rows in use.
     *
     * @param count from 0 to the first extent
     */
    public void rows(int count) {
        if (count < 0 || count > shape[0]) {
            throw new IllegalArgumentException(count + " rows in a tensor with room for " + shape[0]);
        }
        rows = count;
    }

    /**
     * Bytes of the rows in use.
     *
     * @return bytes
     */
    public long byteSize() {
        return (long) rows * width * dtype.bytes();
    }

    @Override
    public String toString() {
        return dtype + Arrays.toString(shape);
    }
}
