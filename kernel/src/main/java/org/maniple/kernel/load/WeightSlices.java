package org.maniple.kernel.load;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.tensor.DType;
import org.maniple.api.tensor.UnitList;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.RankProgram;

/**
 * Which slices of which stored tensors a rank needs: of a weight whose first axis is {@link Axes#EXPERTS}, or that is stored in several
 * tensors, a slice for each unit of its first axis; of any other weight one. Safe for use by several threads if the types are.
 */
final class WeightSlices {

    private final Quantization quantization;
    private final Function<String, DType> types;

    /**
     * @param types the type of a stored tensor, by its name
     */
    WeightSlices(Quantization quantization, Function<String, DType> types) {
        this.quantization = quantization;
        this.types = types;
    }

    static boolean byExpert(Parameter parameter) {
        return !parameter.dims().isEmpty() && parameter.dims().getFirst().axis().equals(Axes.EXPERTS);
    }

    /** The units that a rank has; of experts, those are its slots, which are read one by one. */
    static Map<Axis, UnitList> units(RankProgram program, Piece piece) {
        var units = new HashMap<Axis, UnitList>();
        for (Dim dim : piece.operand().dims()) {
            if (!dim.axis().equals(Axes.EXPERTS) || !byExpert((Parameter) piece.operand())) {
                units.put(dim.axis(), program.program().units(piece, dim, program.rank()));
            }
        }
        return units;
    }

    /** How many slices a rank needs of a weight; they are equally large. */
    long parts(RankProgram program, Piece piece, Map<Axis, UnitList> units) {
        var parameter = (Parameter) piece.operand();
        if (byExpert(parameter)) {
            return program.expertSlots(piece).size();
        }
        return parameter.source() instanceof TensorView.Stacked stacked
                ? Objects.requireNonNull(units.get(stacked.axis())).size()
                : 1;
    }

    /** One of them, to see how large it is. */
    StoredSlice part(Parameter parameter, Map<Axis, UnitList> units) {
        return byExpert(parameter) || parameter.source() instanceof TensorView.Stacked
                ? slice(parameter, units, 0)
                : slice(parameter, units);
    }

    /** The slice of a weight that is in one tensor. */
    StoredSlice slice(Parameter parameter, Map<Axis, UnitList> units) {
        String tensor = tensor(parameter.source(), 0);
        return StoredSlice.of(tensor, parameter.source().dims(), parameter.dims(), units,
                encoding(parameter.source(), tensor, parameter.dims()), quantization);
    }

    /** The slice of the part of a weight that belongs to one unit of its first axis. */
    StoredSlice slice(Parameter parameter, Map<Axis, UnitList> units, int unit) {
        String tensor = tensor(parameter.source(), unit);
        List<Dim> dims = parameter.dims();
        Map<Axis, UnitList> own = units;
        if (parameter.source() instanceof TensorView.Stacked) {
            dims = dims.subList(1, dims.size());
        } else {
            own = new HashMap<>(units);
            own.put(dims.getFirst().axis(), UnitList.of(unit));
        }
        return StoredSlice.of(tensor, parameter.source().dims(), dims, own, encoding(parameter.source(), tensor, dims),
                quantization);
    }

    private static String tensor(TensorView view, int unit) {
        return switch (view) {
            case TensorView.Stored stored -> stored.tensor();
            case TensorView.Stacked stacked -> stacked.tensor(unit);
            case TensorView.Mxfp4 mxfp4 -> mxfp4.blocks();
        };
    }

    private Encoding encoding(TensorView view, String tensor, List<Dim> dims) {
        if (view instanceof TensorView.Mxfp4 mxfp4) {
            return new Encoding.Mxfp4(mxfp4.scales());
        }
        DType dtype = types.apply(tensor);
        if (dtype.blocked()) {
            return ScaleLayout.columns(dims, view.dims()).isPresent()
                    ? new Encoding.Blocks(dtype)
                    : new Encoding.DecodedBlocks(dtype);
        }
        return dtype == DType.F8_E4M3 ? new Encoding.Fp8() : new Encoding.Plain(dtype);
    }
}
