package org.maniple.kernel.load;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.graph.TensorView.StoredDim;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.UnitList;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.RankProgram;

/** How large a rank's weights are, as {@link WeightLoader} would load them, without a checkpoint. Not safe for use by several threads. */
public final class WeightSizes {

    /** A block of MXFP4: two elements in a byte, and a scale. */
    private static final int MXFP4_BYTES = TensorView.Mxfp4.BLOCK / 2 + 1;
    private static final int FACTOR_BYTES = Float.BYTES;

    /**
     * A weight, or all of a rank's.
     *
     * @param elements how many weights
     * @param stored bytes as they are stored, with the factors of every block that is needed
     * @param held bytes as a rank holds them: FP8 with a factor for each row and block of columns, MXFP4 as BF16
     */
    public record Size(long elements, long stored, long held) {
        /** Nothing. */
        public static final Size NONE = new Size(0, 0, 0);

        /**
         * Both together.
         *
         * @param other another size
         * @return the sums
         */
        public Size plus(Size other) {
            return new Size(elements + other.elements, stored + other.stored, held + other.held);
        }

        /**
         * Several alike.
         *
         * @param count how many
         * @return the products
         */
        public Size times(long count) {
            return new Size(elements * count, stored * count, held * count);
        }
    }

    /** What decides the size of a slice; blocks of a model that are alike have equal ones. */
    private record Key(List<Dim> dims, List<StoredDim> stored, Map<Axis, UnitList> units, DType held) {}

    private final WeightSlices slices;
    private final Quantization quantization;
    private final Map<Key, Size> known = new HashMap<>();
    private final Function<Parameter, DType> held;

    /**
     * Sizes for one model.
     *
     * @param quantization what its configuration says about weights
     * @param types the type of a stored tensor, by its name
     */
    public WeightSizes(Quantization quantization, Function<String, DType> types) {
        this.slices = new WeightSlices(quantization, types);
        this.quantization = quantization;
        this.held = parameter -> switch (parameter.source()) {
            case TensorView.Stored stored -> types.apply(stored.tensor());
            case TensorView.Stacked stacked -> types.apply(stacked.tensor(0));
            case TensorView.Mxfp4 mxfp4 -> DType.U8;
        };
    }

    /**
     * A rank's part of a weight.
     *
     * @param program the rank's program
     * @param piece one of its weights
     * @return its size
     */
    public Size of(RankProgram program, Piece piece) {
        var parameter = (Parameter) piece.operand();
        Map<Axis, UnitList> units = WeightSlices.units(program, piece);
        var key = new Key(parameter.dims(), parameter.source().dims(), units, held.apply(parameter));
        Size part = known.computeIfAbsent(key, k -> size(slices.part(parameter, units)));
        return part.times(slices.parts(program, piece, units));
    }

    private Size size(StoredSlice slice) {
        long elements = slice.layout().elements();
        long stored = switch (slice.encoding()) {
            case Encoding.Plain plain -> slice.elementBytes();
            case Encoding.Blocks(DType type) -> quantization.storedBytes(type,
                    slice.elementBytes() / type.blockBytes() * type.blockElements(), slice.stored().getLast().extent());
            case Encoding.DecodedBlocks decoded -> Math.ceilDiv(elements, decoded.stored().blockElements())
                    * decoded.stored().blockBytes();
            case Encoding.Fp8 fp8 -> elements
                    + FACTOR_BYTES * slice.scales().map(ScaleLayout::storedFactors).orElse(0L);
            case Encoding.Mxfp4 mxfp4 -> Math.ceilDiv(elements * MXFP4_BYTES, TensorView.Mxfp4.BLOCK);
        };
        return new Size(elements, stored, slice.bytes());
    }
}
