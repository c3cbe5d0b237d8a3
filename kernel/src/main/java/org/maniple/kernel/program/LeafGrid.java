package org.maniple.kernel.program;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Operand;
import org.maniple.api.tensor.UnitList;

/**
 * Where a sum over an axis that may be split is cut into leaves, so that it has the same bits however many ranks share it. The leaves follow from the
 * model alone: as many as {@link #LEAVES}, as equal as they can be, and none ends within a block of a weight. A rank must have whole leaves, as many as a subtree of their binary tree
 * has, and the ranks of a sum must have them in their order.
 */
final class LeafGrid {

    /** Leaves of a sum: a power of two, and the most ranks that can share one. */
    static final int LEAVES = 8;

    private LeafGrid() {}

    /**
     * The ends of the leaves of a rank, counted in its own summed elements.
     *
     * @return empty if the operation sums over nothing that may be split
     */
    static List<Integer> ends(MeshProgram program, Instruction.Local local, int rank) {
        List<Dim> summed = summed(local.node());
        if (summed.isEmpty()) {
            return List.of();
        }
        Piece x = local.inputs().getFirst();
        List<Integer> group = program.group(rank, x.layout().splitting(summed.getFirst().axis()));
        int each = LEAVES / group.size();
        int first = group.indexOf(rank) * each;
        long whole = summed.getFirst().extent() * inner(summed);
        int block = program.grid().block(summed.getFirst().axis());
        long from = boundary(whole, first, block);
        var ends = new ArrayList<Integer>();
        // By their numbers: of leaves within one block all but one are empty, so that several begin and end where a rank does.
        for (int leaf = first; leaf < first + each; leaf++) {
            ends.add(Math.toIntExact(boundary(whole, leaf + 1, block) - from));
        }
        return ends;
    }

    /** Where a leaf begins, in elements: the boundary between blocks that is next to an equal share, or before it. */
    private static long boundary(long whole, int leaf, int block) {
        return leaf == LEAVES ? whole : whole * leaf / LEAVES / block * block;
    }

    /**
     * Checks that every sum that ranks share keeps its bits.
     *
     * @throws CompileException that names a sum that does not, and why
     */
    static void check(MeshProgram program) {
        for (Instruction instruction : program.code()) {
            if (instruction instanceof Instruction.Local local && !summed(local.node()).isEmpty()) {
                check(program, local);
            }
        }
    }

    private static void check(MeshProgram program, Instruction.Local local) {
        List<Dim> summed = summed(local.node());
        Piece x = local.inputs().getFirst();
        List<Integer> splitting = x.layout().splitting(summed.getFirst().axis());
        if (splitting.isEmpty()) {
            return;
        }
        List<Integer> group = program.group(0, splitting);
        long inner = inner(summed);
        long whole = summed.getFirst().extent() * inner;
        int block = program.grid().block(summed.getFirst().axis());
        for (int i = 0; i < group.size(); i++) {
            UnitList own = program.units(x, summed.getFirst(), group.get(i));
            int each = LEAVES / group.size();
            boolean fits = LEAVES % group.size() == 0 && own.ranges() == 1
                    && own.from(0) * inner == boundary(whole, i * each, block)
                    && own.to(0) * inner == boundary(whole, (i + 1) * each, block);
            if (!fits) {
                throw new CompileException("numerics [exact]: " + local.node() + " sums over " + summed.getFirst()
                        + ", of which rank "
                        + group.get(i) + " has " + own + "; for the same bits on every layout each of the " + group.size()
                        + " ranks must have an equal part that consists of whole eighths, and their number must be 1, 2, 4 or 8; "
                        + "choose such sizes, or numerics fast");
            }
        }
    }

    /** The dimensions of the first input that are summed, if one of them may be split: that one comes first. */
    private static List<Dim> summed(Node node) {
        if (!(node.op() instanceof BuiltinOp.Contract || node.op() instanceof BuiltinOp.SumSquares)) {
            return List.of();
        }
        Operand x = node.inputs().getFirst();
        Set<Axis> axes = node.signature().reduced();
        List<Dim> summed = x.dims().stream().filter(d -> axes.contains(d.axis())).toList();
        boolean splits = summed.stream().anyMatch(d -> !d.axis().inner());
        return splits && !summed.getFirst().axis().inner() ? summed : List.of();
    }

    private static long inner(List<Dim> summed) {
        return summed.stream().skip(1).mapToLong(Dim::extent).reduce(1, Math::multiplyExact);
    }
}
