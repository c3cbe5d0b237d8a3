package org.maniple.kernel.load;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.TensorView.StoredDim;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.UnitList;

/**
 * What a rank needs of one stored tensor: its slice of a weight, or of the part of a weight that belongs to one expert.
 *
 * @param tensor the name of the tensor with the elements
 * @param stored its dimensions
 * @param dims the dimensions of the slice, in the order in which the rank holds them
 * @param units the units of each of their axes
 * @param encoding how it is stored
 * @param layout where the elements are
 * @param scales where the factors are; only of FP8
 * @param blocks where the blocks are; only of those that are held as they are
 */
record StoredSlice(String tensor, List<StoredDim> stored, List<Dim> dims, Map<Axis, UnitList> units, Encoding encoding,
        SliceLayout layout, Optional<ScaleLayout> scales, Optional<BlockLayout> blocks) {

    static StoredSlice of(String tensor, List<StoredDim> stored, List<Dim> dims, Map<Axis, UnitList> units, Encoding encoding,
            Quantization quantization) {
        return new StoredSlice(tensor, stored, dims, units, encoding, SliceLayout.of(dims, stored, units),
                encoding instanceof Encoding.Fp8
                        ? Optional.of(ScaleLayout.of(dims, stored, units, quantization))
                        : Optional.empty(),
                encoding instanceof Encoding.Blocks(DType held)
                        ? Optional.of(BlockLayout.of(held, dims, stored, units))
                        : Optional.empty());
    }

    /** Bytes of the elements as the rank holds them. */
    long elementBytes() {
        return blocks.map(BlockLayout::bytes).orElseGet(() -> layout.elements() * encoding.held().bytes());
    }

    /** The first stored byte of the elements, if they are stored as the rank holds them; otherwise -1. */
    long contiguous() {
        return switch (encoding) {
            case Encoding.Plain plain -> bytes(layout.contiguous(), plain.held());
            case Encoding.Fp8 fp8 -> bytes(layout.contiguous(), fp8.held());
            case Encoding.Blocks held -> blocks.orElseThrow().contiguous();
            case Encoding.DecodedBlocks decoded -> -1;
            case Encoding.Mxfp4 mxfp4 -> -1;
        };
    }

    private static long bytes(long element, DType type) {
        return element < 0 ? -1 : element * type.bytes();
    }

    /** Bytes of the factors as the rank holds them. */
    long factorBytes() {
        return scales.map(ScaleLayout::factors).orElse(0L) * Float.BYTES;
    }

    /** Bytes of both. */
    long bytes() {
        return elementBytes() + factorBytes();
    }
}
