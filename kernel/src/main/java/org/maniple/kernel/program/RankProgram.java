package org.maniple.kernel.program;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.tensor.UnitList;

/**
 * What one rank does and has.
 *
 * @param program of the whole mesh
 * @param rank this rank
 * @param stage the stage that it is in
 * @param code its instructions, in order
 * @param weights its pieces of parameters
 * @param states its pieces of states
 */
public record RankProgram(MeshProgram program, int rank, int stage, List<Instruction> code, List<Piece> weights,
        List<Piece> states) {

    /** Copies the lists. */
    public RankProgram {
        code = List.copyOf(code);
        weights = List.copyOf(weights);
        states = List.copyOf(states);
    }

    /**
     * The units of each axis of a piece that this rank has, except of axes whose ranges come from the step.
     *
     * @param piece any piece
     * @return the units by axis
     */
    public Map<Axis, UnitList> units(Piece piece) {
        var map = new HashMap<Axis, UnitList>();
        for (Dim dim : piece.operand().dims()) {
            if (!Axes.ofTokens(dim.axis())) {
                map.put(dim.axis(), program.units(piece, dim, rank));
            }
        }
        return map;
    }

    /**
     * The routed experts whose weights this rank holds.
     *
     * @param piece a weight whose first axis is {@link Axes#EXPERTS}
     * @return the expert in each of the rank's slots, in the order of the slots; an expert may be in several
     */
    public List<Integer> expertSlots(Piece piece) {
        UnitList experts = program.units(piece, piece.operand().dims().getFirst(), rank);
        return java.util.stream.IntStream.range(0, experts.size()).map(experts::get).boxed().toList();
    }

    /**
     * The elements per token, position or (for weights) in all that this rank has of a piece.
     *
     * @param piece any piece
     * @return the product of its units
     */
    public long elements(Piece piece) {
        long product = 1;
        for (Dim dim : piece.operand().dims()) {
            if (!Axes.ofTokens(dim.axis())) {
                product = Math.multiplyExact(product, program.units(piece, dim, rank).size());
            }
        }
        return product;
    }
}
