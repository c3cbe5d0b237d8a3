package org.maniple.kernel.load;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.BuiltinOp;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.Parameter;
import org.maniple.api.graph.Value;
import org.maniple.api.tensor.BlockRows;
import org.maniple.api.tensor.WeightLayout;
import org.maniple.kernel.program.Instruction;
import org.maniple.kernel.program.Piece;
import org.maniple.kernel.program.RankProgram;

/** What a rank's operations do with the weights that it holds: what a back end is asked about before weights are loaded. Immutable. */
final class WeightUses {

    private static final int WEIGHT = 1;

    private final Map<Piece, List<WeightLayout.Use>> uses = new HashMap<>();
    /** Of each weight that is contracted, how many of its last dimensions are summed. */
    private final Map<Piece, Set<Integer>> summed = new HashMap<>();

    private WeightUses() {}

    static WeightUses of(RankProgram program, SharedWeights shared) {
        var found = new WeightUses();
        for (Instruction instruction : program.code()) {
            if (instruction instanceof Instruction.Local local) {
                for (int i = 0; i < local.inputs().size(); i++) {
                    if (local.inputs().get(i).operand() instanceof Parameter parameter) {
                        found.add(local, i, parameter, shared.holder(local.inputs().get(i)));
                    }
                }
            }
        }
        return found;
    }

    private void add(Instruction.Local local, int input, Parameter parameter, Piece piece) {
        WeightLayout.Use use = WeightLayout.Use.OTHER;
        if (input == WEIGHT && local.node().op() instanceof BuiltinOp.Embed) {
            use = WeightLayout.Use.EMBED;
        } else if (input == WEIGHT && local.node().op() instanceof BuiltinOp.Contract) {
            use = WeightLayout.Use.CONTRACT;
            Value out = local.node().outputs().getFirst();
            long last = parameter.dims().reversed().stream().takeWhile(dim -> !out.has(dim.axis())).count();
            summed.merge(piece, Set.of((int) last), (a, b) -> {
                var both = new HashSet<>(a);
                both.addAll(b);
                return both;
            });
        }
        uses.computeIfAbsent(piece, p -> new ArrayList<>()).add(use);
    }

    /**
     * A weight as a back end is asked about it.
     *
     * @param piece a weight that is held
     * @param slice this rank's part, or that of one slot
     * @return empty if it is no matrix of rows that are summed
     */
    Optional<WeightLayout.Weight> matrix(Piece piece, StoredSlice slice) {
        Set<Integer> lengths = summed.getOrDefault(piece, Set.of());
        if (lengths.size() != 1 || slice.elementBytes() == 0) {
            return Optional.empty();
        }
        int columns = lengths.iterator().next();
        List<Dim> dims = slice.dims().stream().filter(d -> !d.axis().equals(Axes.EXPERTS)).toList();
        if (columns == 0 || columns > dims.size()) {
            return Optional.empty();
        }
        BlockRows rows = slice.blocks().map(BlockLayout::columns).orElseGet(() -> BlockRows.whole(dims.stream()
                .skip(dims.size() - (long) columns)
                .mapToInt(d -> Objects.requireNonNull(slice.units().get(d.axis())).size())
                .reduce(1, Math::multiplyExact)));
        long count = slice.layout().elements() / rows.columns();
        return Optional.of(new WeightLayout.Weight(slice.encoding().held(), Math.toIntExact(count), rows,
                uses.getOrDefault(piece, List.of())));
    }
}
