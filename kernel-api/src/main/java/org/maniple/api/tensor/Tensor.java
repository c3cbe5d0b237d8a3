package org.maniple.api.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A dense, row-major tensor over memory that somebody else owns and that outlives it. The first dimension counts rows; for
 * activations the number of rows in use changes from step to step while the memory stays where it is, so that kernels can be bound to
 * tensors once and run without allocating.
 *
 * <p>A <em>stacked</em> tensor (the weights of experts) has memory of its own for each index of its first dimension, a slot, and a slot's memory
 * may be replaced between steps. A <em>scaled</em> one has a factor for each block of elements of a row. A <em>ragged</em> one (activations of
 * experts) has a row for each pair of a token and an expert.
 *
 * <p>Not safe for use by several threads while {@link #rows(int)} or {@link #replace} is called; the rank's own thread does that between
 * kernels.
 */
public final class Tensor {

    private final DType dtype;
    private final int[] shape;
    private final int width;
    private final @Nullable MemorySegment segment;
    private final MemorySegment[] slots;
    private final @Nullable BlockScales scales;
    private final @Nullable PairRows pairs;
    private int rows;

    private Tensor(DType dtype, int[] shape, @Nullable MemorySegment segment, MemorySegment[] slots, @Nullable BlockScales scales,
            @Nullable PairRows pairs) {
        this.dtype = dtype;
        this.shape = shape.clone();
        this.segment = segment;
        this.slots = slots;
        this.scales = scales;
        this.pairs = pairs;
        long product = 1;
        for (int i = 1; i < shape.length; i++) {
            product = Math.multiplyExact(product, shape[i]);
        }
        this.width = Math.toIntExact(product);
        this.rows = shape.length == 0 ? 1 : shape[0];
        if (segment != null) {
            checkSize(segment, Math.multiplyExact((long) rows, Math.multiplyExact(product, dtype.bytes())));
        }
        for (MemorySegment slot : slots) {
            checkSize(slot, Math.multiplyExact(product, dtype.bytes()));
        }
    }

    private void checkSize(MemorySegment memory, long needed) {
        if (memory.byteSize() < needed) {
            throw new IllegalArgumentException("a " + dtype + Arrays.toString(shape) + " needs " + needed
                    + (segment == null ? " bytes for each slot" : " bytes") + ", the segment has " + memory.byteSize());
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
        return new Tensor(dtype, shape, segment, new MemorySegment[0], null, null);
    }

    /**
     * A stacked tensor.
     *
     * @param dtype type of the elements
     * @param shape extents, outermost first; the first one is the number of slots
     * @param slots the memory of each slot, at least as large as the rest of the shape needs; not copied
     * @return the tensor
     */
    public static Tensor stacked(DType dtype, int[] shape, List<MemorySegment> slots) {
        if (shape.length == 0 || shape[0] != slots.size()) {
            throw new IllegalArgumentException(slots.size() + " slots for a " + dtype + Arrays.toString(shape));
        }
        return new Tensor(dtype, shape, null, slots.toArray(MemorySegment[]::new), null, null);
    }

    /**
     * The same memory with factors of its elements.
     *
     * @param factors what elements are multiplied by
     * @return a scaled tensor
     */
    public Tensor scaled(BlockScales factors) {
        return new Tensor(dtype, shape, segment, slots, factors, pairs);
    }

    /**
     * The same memory, whose rows are pairs of tokens and experts.
     *
     * @param pairRows which rows there are
     * @return a ragged tensor
     */
    public Tensor ragged(PairRows pairRows) {
        return new Tensor(dtype, shape, segment, slots, scales, pairRows);
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
     * @throws IllegalStateException if the tensor is stacked: its slots have memory of their own
     */
    public MemorySegment segment() {
        if (segment == null) {
            throw new IllegalStateException(this + " is stacked; each of its slots has memory of its own");
        }
        return segment;
    }

    /**
     * Whether each index of the first dimension has memory of its own.
     *
     * @return whether it has
     */
    public boolean stacked() {
        return segment == null;
    }

    /**
     * The memory of a slot; kernels must ask in every step, since it may be replaced between two of them.
     *
     * @param index an index of the first dimension of a stacked tensor
     * @return its memory, from the first element on
     */
    public MemorySegment slot(int index) {
        return slots[index];
    }

    /**
     * Replaces the memory of a slot.
     *
     * @param index an index of the first dimension of a stacked tensor
     * @param memory at least as large as the shape needs; not copied
     */
    public void replace(int index, MemorySegment memory) {
        checkSize(memory, Math.multiplyExact((long) width, dtype.bytes()));
        slots[index] = memory;
    }

    /**
     * The factors of the elements.
     *
     * @return empty if the elements are what they are
     */
    public Optional<BlockScales> scales() {
        return Optional.ofNullable(scales);
    }

    /**
     * Which rows a ragged tensor has.
     *
     * @return the pairs
     * @throws IllegalStateException if it is not ragged
     */
    public PairRows pairs() {
        if (pairs == null) {
            throw new IllegalStateException(this + " is not ragged");
        }
        return pairs;
    }

    /**
     * Whether the rows are pairs of tokens and experts.
     *
     * @return whether they are
     */
    public boolean ragged() {
        return pairs != null;
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
     * Rows in use; of a ragged tensor, its pairs.
     *
     * @return at most the first extent
     */
    public int rows() {
        return pairs == null ? rows : pairs.rows();
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
        return (long) rows() * width * dtype.bytes();
    }

    @Override
    public String toString() {
        return dtype + Arrays.toString(shape);
    }
}
