package org.maniple.kernel.load;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.TensorView;
import org.maniple.api.tensor.UnitList;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.RankProgram;

/**
 * Which weights of a rank are the same part of the same stored tensor, such as an embedding that is the head too. One of them is held, for all.
 * Experts are apart, since their slots are replaced one by one. Immutable.
 */
final class SharedWeights {

    private record Part(TensorView source, List<Dim> dims, Map<Axis, UnitList> units) {}

    private final Map<Piece, Piece> holders = new HashMap<>();
    private final List<Piece> held = new ArrayList<>();

    private SharedWeights() {}

    static SharedWeights of(RankProgram program) {
        var shared = new SharedWeights();
        var first = new HashMap<Part, Piece>();
        for (Piece piece : program.weights()) {
            var parameter = (Parameter) piece.operand();
            Piece holder = WeightSlices.byExpert(parameter)
                    ? piece
                    : first.computeIfAbsent(new Part(parameter.source(), parameter.dims(), WeightSlices.units(program, piece)),
                            part -> piece);
            shared.holders.put(piece, holder);
            if (holder.equals(piece)) {
                shared.held.add(piece);
            }
        }
        return shared;
    }

    /** The weights that are held, in the order of the program. */
    List<Piece> held() {
        return held;
    }

    /** The weight that is held for this one; often itself. */
    Piece holder(Piece piece) {
        return Objects.requireNonNull(holders.get(piece), () -> piece + " is no weight of this rank");
    }
}
