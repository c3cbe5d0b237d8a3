package org.maniple.kernel.plan;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.maniple.api.graph.Parameter;
import org.maniple.kernel.load.WeightSizes;
import org.maniple.kernel.program.Layout;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.RankProgram;

/** The weights of the ranks of a stage. Blocks of a model are alike, so only one of all weights that are alike is looked at. */
final class StageWeights {

    /**
     * What weights have in common.
     *
     * @param number see {@link PlannedModel#kind}
     * @param layout how they lie on the mesh
     */
    record Kind(int number, Layout layout) {}

    private record Group(Piece piece, int count) {}

    private final Map<Kind, Integer> counts = new LinkedHashMap<>();
    private final List<Group> groups;
    private final RankProgram any;
    private final PlannedModel model;
    private final WeightSizes sizes;

    /**
     * @param any the program of any rank of the stage
     */
    StageWeights(RankProgram any, PlannedModel model, WeightSizes sizes) {
        var found = new LinkedHashMap<Kind, Group>();
        for (Piece piece : any.weights()) {
            found.merge(new Kind(model.kind((Parameter) piece.operand()), piece.layout()), new Group(piece, 1),
                    (before, one) -> new Group(before.piece(), before.count() + 1));
        }
        this.groups = List.copyOf(found.values());
        found.forEach((kind, group) -> counts.put(kind, group.count()));
        this.any = any;
        this.model = model;
        this.sizes = sizes;
    }

    /** The program of a rank of the stage: they all have the same instructions. */
    RankProgram program(int rank) {
        return new RankProgram(any.program(), rank, any.stage(), any.code(), any.draftFrom(), any.weights(), any.states());
    }

    /** How many weights there are of each kind. */
    Map<Kind, Integer> counts() {
        return Map.copyOf(counts);
    }

    /** All weights of a rank. */
    WeightSizes.Size of(RankProgram program) {
        WeightSizes.Size sum = WeightSizes.Size.NONE;
        for (Group group : groups) {
            sum = sum.plus(sizes.of(program, group.piece()).times(group.count()));
        }
        return sum;
    }

    /** Bytes that a rank reads in a step. */
    double read(RankProgram program, double tokens) {
        double sum = 0;
        for (Group group : groups) {
            sum += (double) group.count() * sizes.of(program, group.piece()).held()
                    * model.read((Parameter) group.piece().operand(), tokens);
        }
        return sum;
    }
}
