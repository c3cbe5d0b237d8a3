package org.maniple.api.graph;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which elements of which stored tensors make up a parameter. A stored dimension may bundle several axes ({@code q_proj} rows are
 * heads × head dimension) or hold more than the parameter wants (fused tensors); so nobody needs an operation that slices,
 * concatenates or reshapes.
 */
public sealed interface TensorView {

    /**
     * The dimensions that elements are stored in: of the tensor, or of each of several.
     *
     * @return outermost first
     */
    List<StoredDim> dims();

    /**
     * All tensors of the checkpoint that the parameter needs on all ranks together, with their shapes.
     *
     * @return extents by name
     */
    Map<String, List<Long>> tensors();

    /**
     * One tensor of the checkpoint.
     *
     * @param tensor its name there
     * @param dims its stored dimensions, outermost first
     */
    record Stored(String tensor, List<StoredDim> dims) implements TensorView {
        /** Copies the list. */
        public Stored {
            dims = List.copyOf(dims);
        }

        @Override
        public Map<String, List<Long>> tensors() {
            return Map.of(tensor, dims.stream().map(StoredDim::extent).toList());
        }
    }

    /**
     * Several tensors, one for each unit of an axis that becomes the first one, for example one tensor for each expert. Only those
     * of a rank's own units are opened.
     *
     * @param axis the axis that counts the tensors
     * @param units how many there are
     * @param pattern the name of a tensor, with {@code {}} in place of the unit's number
     * @param dims the stored dimensions of each
     */
    record Stacked(Axis axis, int units, String pattern, List<StoredDim> dims) implements TensorView {
        /** Copies the list. */
        public Stacked {
            dims = List.copyOf(dims);
        }

        /**
         * The name of one of the tensors.
         *
         * @param unit its number
         * @return its name in the checkpoint
         */
        public String tensor(int unit) {
            return pattern.replace("{}", Integer.toString(unit));
        }

        @Override
        public Map<String, List<Long>> tensors() {
            List<Long> extents = dims.stream().map(StoredDim::extent).toList();
            var tensors = new LinkedHashMap<String, List<Long>>();
            for (int unit = 0; unit < units; unit++) {
                tensors.put(tensor(unit), extents);
            }
            return tensors;
        }
    }

    /**
     * A tensor stored in MXFP4 (OCP Microscaling Formats 1.0): blocks of 32 elements along the last dimension, each of 16 bytes with two
     * elements each (the lower half first), and a scale of 8 bits for each block. Ranks hold it as BF16, which has every value exactly.
     *
     * @param blocks the name of the tensor with the elements: the stored dimensions, the last one divided by 32, and 16
     * @param scales the name of the tensor with the scales: the stored dimensions, the last one divided by 32
     * @param dims the dimensions of the elements
     */
    record Mxfp4(String blocks, String scales, List<StoredDim> dims) implements TensorView {
        /** Elements that share a scale. */
        public static final int BLOCK = 32;

        /** Copies the list. */
        public Mxfp4 {
            dims = List.copyOf(dims);
            if (dims.isEmpty() || dims.getLast().extent() % BLOCK != 0) {
                throw new IllegalArgumentException(blocks + " " + dims + ": the last dimension must be a multiple of " + BLOCK);
            }
        }

        @Override
        public Map<String, List<Long>> tensors() {
            var outer = new ArrayList<Long>(dims.stream().map(StoredDim::extent).toList());
            outer.set(outer.size() - 1, outer.getLast() / BLOCK);
            var elements = new ArrayList<>(outer);
            elements.add((long) BLOCK / 2);
            return Map.of(blocks, elements, scales, outer);
        }
    }

    /**
     * A stored dimension: its factors, the outermost first. Its extent is the product of theirs.
     *
     * @param factors at least one
     */
    record StoredDim(List<Factor> factors) {
        /** Copies the list. */
        public StoredDim {
            factors = List.copyOf(factors);
        }

        /**
         * The stored extent.
         *
         * @return the product of the factors' extents
         */
        public long extent() {
            return factors.stream().mapToLong(Factor::extent).reduce(1, Math::multiplyExact);
        }
    }

    /**
     * One factor of a stored dimension.
     *
     * @param axis the axis of the parameter that it is; empty: one element is picked and the parameter has no such axis
     * @param extent its stored extent
     * @param from the first element that the parameter has
     * @param count the elements that the parameter has: the extent of the axis, or 1
     */
    record Factor(Optional<Axis> axis, int extent, int from, int count) {
        /** Checks that the picked elements are there. */
        public Factor {
            if (from < 0 || count < 1 || (long) from + count > extent || (axis.isEmpty() && count != 1)) {
                throw new IllegalArgumentException(
                        "elements " + from + " to " + (from + count) + " of " + extent + " for " + axis);
            }
        }
    }

    /**
     * A stored dimension made of whole axes.
     *
     * @param dims outermost first, for example heads and head dimension
     * @return the dimension
     */
    static StoredDim dim(Dim... dims) {
        return new StoredDim(List.of(dims).stream().map(TensorView::whole).toList());
    }

    /**
     * A stored dimension made of any factors.
     *
     * @param factors outermost first
     * @return the dimension
     */
    static StoredDim dim(Factor... factors) {
        return new StoredDim(List.of(factors));
    }

    /**
     * A factor that is a whole axis.
     *
     * @param dim the axis with its extent
     * @return the factor
     */
    static Factor whole(Dim dim) {
        return new Factor(Optional.of(dim.axis()), dim.extent(), 0, dim.extent());
    }

    /**
     * A factor of which the parameter has a part, under an axis of its own.
     *
     * @param dim the axis with the extent that the parameter has
     * @param extent the stored extent
     * @param from the first element
     * @return the factor
     */
    static Factor part(Dim dim, int extent, int from) {
        return new Factor(Optional.of(dim.axis()), extent, from, dim.extent());
    }

    /**
     * A factor of which the parameter has one element and no axis, for example the gate half of a fused gate and up projection.
     *
     * @param extent the stored extent
     * @param index the element
     * @return the factor
     */
    static Factor pick(int extent, int index) {
        return new Factor(Optional.empty(), extent, index, 1);
    }

    /**
     * One tensor of the checkpoint.
     *
     * @param tensor its name
     * @param dims its stored dimensions
     * @return the view
     */
    static TensorView stored(String tensor, StoredDim... dims) {
        return new Stored(tensor, List.of(dims));
    }
}
