package org.maniple.kernel.program;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.Value;
import org.maniple.api.tensor.UnitList;

/**
 * What one rank does and has.
 *
 * @param program of the whole mesh
 * @param rank this rank
 * @param stage the stage that it is in
 * @param code its instructions, in order
 * @param draftFrom the first of them that guesses further tokens; their number if there is none
 * @param weights its pieces of parameters
 * @param states its pieces of states
 */
public record RankProgram(MeshProgram program, int rank, int stage, List<Instruction> code, int draftFrom,
        List<Piece> weights, List<Piece> states) {

    /** Copies the lists. */
    public RankProgram {
        code = List.copyOf(code);
        weights = List.copyOf(weights);
        states = List.copyOf(states);
    }

    /**
     * Whether this rank takes part in guessing further tokens.
     *
     * @return whether it has instructions for that
     */
    public boolean drafts() {
        return draftFrom < code.size();
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
     * The units of each axis of some pieces that this rank has.
     *
     * @param pieces the operands of an operation
     * @return the units by axis
     */
    public Map<Axis, UnitList> units(List<Piece> pieces) {
        var map = new HashMap<Axis, UnitList>();
        pieces.forEach(piece -> map.putAll(units(piece)));
        return map;
    }

    /**
     * Where the leaves of a sum end on this rank, if the program keeps the bits of sums.
     *
     * @param local an operation
     * @return see {@link org.maniple.api.graph.OpCall#leaves()}
     */
    public List<Integer> leaves(Instruction.Local local) {
        return program.options().exact() ? LeafGrid.ends(program, local, rank) : List.of();
    }

    /**
     * The routed experts whose weights this rank holds.
     *
     * @param piece a weight whose first axis is {@link Axes#EXPERTS}
     * @return the expert in each of the rank's slots, in the order of the slots; an expert may be in several
     */
    public List<Integer> expertSlots(Piece piece) {
        return program.expertSlots(piece, rank);
    }

    /**
     * The elements per token, position, row of an expert, or (for weights) in all that this rank has of a piece.
     *
     * @param piece any piece
     * @return the product of its units
     */
    public long elements(Piece piece) {
        boolean ragged = piece.operand() instanceof Value value && value.ragged();
        boolean slots = piece.operand() instanceof Parameter && piece.operand().dims().getFirst().axis().equals(Axes.EXPERTS);
        long product = slots ? expertSlots(piece).size() : 1;
        for (Dim dim : piece.operand().dims()) {
            boolean counted = dim.axis().equals(Axes.EXPERTS) && (ragged || slots);
            if (!Axes.ofTokens(dim.axis()) && !counted) {
                product = Math.multiplyExact(product, program.units(piece, dim, rank).size());
            }
        }
        return product;
    }
}
