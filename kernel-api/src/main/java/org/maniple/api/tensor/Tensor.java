package org.maniple.api.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A dense, row-major tensor over memory that somebody else owns and that outlives it. The first dimension counts rows; for
 * activations the number of rows in use changes from step to step while the memory stays where it is, so that kernels can be bound to
 * tensors once and run without allocating.
 *
 * <p>A <em>stacked</em> tensor (the weights of experts) has memory of its own for each index of its first dimension, a slot, and a slot's memory
 * may be replaced between steps. A <em>scaled</em> one has a factor for each block of elements of a row. A <em>ragged</em> one (activations of
 * experts) has a row for each pair of a token and an expert. A <em>blocked</em> one is a weight of a block type ({@link DType#blocked}), whose rows
 * {@link #blockRows} describes; a <em>packed</em> one is held in a layout of the back end's own ({@link #layout}).
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
    /** Kept as what is returned, so that who asks in each step makes no object. */
    private final Optional<BlockScales> scales;
    private final @Nullable PairRows pairs;
    private final @Nullable BlockRows blocks;
    private final @Nullable WeightLayout layout;
    private int rows;

    private Tensor(DType dtype, int[] shape, @Nullable MemorySegment segment, MemorySegment[] slots, @Nullable BlockScales scales,
            @Nullable PairRows pairs, @Nullable BlockRows blocks, @Nullable WeightLayout layout) {
        this.dtype = dtype;
        this.shape = shape.clone();
        this.segment = segment;
        this.slots = slots;
        this.scales = Optional.ofNullable(scales);
        this.pairs = pairs;
        this.layout = layout;
        long product = 1;
        for (int i = 1; i < shape.length; i++) {
            product = Math.multiplyExact(product, shape[i]);
        }
        this.width = Math.toIntExact(product);
        this.rows = shape.length == 0 ? 1 : shape[0];
        this.blocks = blocks == null && dtype.blocked() ? BlockRows.whole(width) : blocks;
        if (segment != null) {
            checkSize(segment, bytes(rows * product));
        }
        for (MemorySegment slot : slots) {
            checkSize(slot, bytes(product));
        }
    }

    /** The size of some whole rows, by their elements. */
    private long bytes(long elements) {
        if (blocks == null && layout == null) {
            return dtype.bytes(elements);
        }
        int columns = blocks == null ? width : blocks.columns();
        long matrixRows = columns == 0 ? 0 : elements / columns;
        return layout == null
                ? Math.multiplyExact(matrixRows, dtype.bytes(Objects.requireNonNull(blocks).held()))
                : layout.bytes(Math.toIntExact(matrixRows));
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
        return new Tensor(dtype, shape, segment, new MemorySegment[0], null, null, null, null);
    }

    /**
     * A weight of a block type.
     *
     * @param dtype type of the elements
     * @param shape extents, outermost first; the last ones are those of a row
     * @param rows how a row is held
     * @param segment its memory, row after row; not copied
     * @return the tensor
     */
    public static Tensor blocked(DType dtype, int[] shape, BlockRows rows, MemorySegment segment) {
        return new Tensor(dtype, shape, segment, new MemorySegment[0], null, null, rows, null);
    }

    /**
     * A weight that is held in a layout of the back end.
     *
     * @param dtype type of the elements
     * @param shape extents, outermost first; the last ones are those of a row
     * @param rows which elements a row has; of a type without blocks, whole
     * @param layout how it was packed
     * @param segment its memory; not copied
     * @return the tensor
     */
    public static Tensor packed(DType dtype, int[] shape, BlockRows rows, WeightLayout layout, MemorySegment segment) {
        return new Tensor(dtype, shape, segment, new MemorySegment[0], null, null, rows, layout);
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
        return new Tensor(dtype, shape, null, slots.toArray(MemorySegment[]::new), null, null, null, null);
    }

    /**
     * A stacked weight of a block type, or one whose slots are packed.
     *
     * @param dtype type of the elements
     * @param shape extents, outermost first; the first one is the number of slots, the last ones are those of a row
     * @param rows how a row is held
     * @param layout how each slot was packed, if it was
     * @param slots the memory of each slot; not copied
     * @return the tensor
     */
    public static Tensor stacked(DType dtype, int[] shape, BlockRows rows, Optional<WeightLayout> layout,
            List<MemorySegment> slots) {
        if (shape.length == 0 || shape[0] != slots.size()) {
            throw new IllegalArgumentException(slots.size() + " slots for a " + dtype + Arrays.toString(shape));
        }
        return new Tensor(dtype, shape, null, slots.toArray(MemorySegment[]::new), null, null, rows, layout.orElse(null));
    }

    /**
     * The same memory with factors of its elements.
     *
     * @param factors what elements are multiplied by
     * @return a scaled tensor
     */
    public Tensor scaled(BlockScales factors) {
        return new Tensor(dtype, shape, segment, slots, factors, pairs, blocks, layout);
    }

    /**
     * The same memory, whose rows are pairs of tokens and experts.
     *
     * @param pairRows which rows there are
     * @return a ragged tensor
     */
    public Tensor ragged(PairRows pairRows) {
        return new Tensor(dtype, shape, segment, slots, scales.orElse(null), pairRows, blocks, layout);
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
        checkSize(memory, bytes(width));
        slots[index] = memory;
    }

    /**
     * The factors of the elements.
     *
     * @return empty if the elements are what they are
     */
    public Optional<BlockScales> scales() {
        return scales;
    }

    /**
     * How the rows of a weight of a block type are held.
     *
     * @return empty if the type has no blocks
     */
    public Optional<BlockRows> blockRows() {
        return dtype.blocked() ? Optional.ofNullable(blocks) : Optional.empty();
    }

    /**
     * The back end's own layout in which a weight is held.
     *
     * @return empty if it is held as it is stored
     */
    public Optional<WeightLayout> layout() {
        return Optional.ofNullable(layout);
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
        return bytes((long) rows() * width);
    }

    @Override
    public String toString() {
        return dtype + Arrays.toString(shape) + (layout == null ? "" : " held as " + layout.name());
    }
}
