package org.maniple.kernel.balance;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Parameter;
import org.maniple.api.tensor.Tensor;
import org.maniple.kernel.execute.ExpertTable;
import org.maniple.kernel.execute.RankExecutor;
import org.maniple.kernel.program.Instruction;
import org.maniple.kernel.program.MeshProgram;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.RankProgram;

/**
 * A block whose experts can change their places, as one rank has it.
 *
 * @param table where the experts are
 * @param groups that the router divides the experts into
 * @param weights the stacked weights of its experts
 */
public record ExpertLayer(ExpertTable table, int groups, Map<Piece, Tensor> weights) {

    /** Copies the map, in its order. */
    public ExpertLayer {
        weights = new LinkedHashMap<>(weights);
    }

    /**
     * The blocks of a rank whose experts are spread over ranks.
     *
     * @param program what the rank does
     * @param executor has its memory
     * @return in order
     */
    public static List<ExpertLayer> of(RankProgram program, RankExecutor executor) {
        var layers = new ArrayList<ExpertLayer>();
        executor.experts().forEach((layer, table) -> {
            var weights = new LinkedHashMap<Piece, Tensor>();
            for (Piece piece : weights(program, layer)) {
                weights.put(piece, executor.weight(piece));
            }
            if (!weights.isEmpty() && table.placement().parts() > 1) {
                layers.add(new ExpertLayer(table, groups(program.program(), layer), weights));
            }
        });
        return layers;
    }

    private static List<Piece> weights(RankProgram program, int layer) {
        return program.code().stream()
                .filter(i -> i.layer() == layer && i instanceof Instruction.Local)
                .flatMap(i -> ((Instruction.Local) i).inputs().stream()).distinct()
                .filter(piece -> piece.operand() instanceof Parameter parameter && !parameter.dims().isEmpty()
                        && parameter.dims().getFirst().axis().equals(Axes.EXPERTS))
                .toList();
    }

    /**
     * The groups that a block's router divides the experts into.
     *
     * @param program of all ranks
     * @param layer the block
     * @return 1 if it does not
     */
    public static int groups(MeshProgram program, int layer) {
        return program.code().stream().filter(i -> i.layer() == layer)
                .map(i -> i instanceof Instruction.Local local && local.node().op() instanceof BuiltinOp.Route route
                        ? route.groups()
                        : 1)
                .max(Integer::compare).orElse(1);
    }
}
