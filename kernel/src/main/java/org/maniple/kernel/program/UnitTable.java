package org.maniple.kernel.program;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.Derivation;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Operand;
import org.maniple.api.mesh.AxisRule;
import org.maniple.api.mesh.Mesh;
import org.maniple.api.mesh.MeshDimension;
import org.maniple.api.mesh.Splitter;
import org.maniple.api.mesh.UnitCost;
import org.maniple.api.tensor.UnitList;

/** Which units of which axis each rank has. Asks the splitters of the rules, once for each axis and extent. */
final class UnitTable {

    private record Key(Axis axis, int extent) {}

    private final ModelGraph graph;
    private final Mesh mesh;
    private final List<MeshDimension> placed;
    private final List<AxisRule> rules;
    private final BlockGrid blocks;
    private final Map<Key, List<UnitList>> splits = new HashMap<>();

    /**
     * @param placed the dimensions of the mesh that the compiler places over, in the mesh's order
     * @param rules the rules over these dimensions, in order
     * @param blocks where boundaries between ranks should be
     */
    UnitTable(ModelGraph graph, Mesh mesh, List<MeshDimension> placed, List<AxisRule> rules, BlockGrid blocks) {
        this.blocks = blocks;
        this.graph = graph;
        this.mesh = mesh;
        this.placed = placed;
        this.rules = rules;
    }

    /** The rule that decides about an axis; the last one, if several do. */
    Optional<AxisRule> rule(Axis axis) {
        int last = lastRule(axis);
        return last < 0 ? Optional.empty() : Optional.of(rules.get(last));
    }

    private int lastRule(Axis axis) {
        Axis family = graph.family(axis);
        int last = rules.size() - 1;
        while (last >= 0 && !graph.family(rules.get(last).axis()).equals(family)) {
            last--;
        }
        return last;
    }

    /** The numbers, among the placed ones, of the dimensions that a rule splits an axis over. */
    List<Integer> dimensions(AxisRule rule) {
        return rule.over().stream().map(placed::indexOf).filter(i -> i >= 0).toList();
    }

    /**
     * Where a parameter or a state lies: rules are taken from last to first, and an axis takes its dimensions if all of them are
     * still free on this tensor; otherwise it stays whole. An axis follows one rule only, the last one.
     */
    Layout fixed(Operand operand) {
        Layout layout = Layout.whole(placed.size());
        for (int i = rules.size() - 1; i >= 0; i--) {
            AxisRule rule = rules.get(i);
            Optional<Axis> axis = ofFamily(operand, graph.family(rule.axis()));
            List<Integer> over = dimensions(rule);
            Layout before = layout;
            boolean decides = axis.isPresent() && lastRule(axis.get()) == i;
            if (decides && over.stream().allMatch(d -> before.at(d).equals(Placement.WHOLE))) {
                for (int dimension : over) {
                    layout = layout.with(dimension, new Placement.Split(axis.get()));
                }
            }
        }
        return layout;
    }

    /** The axis of an operand that belongs to a family. */
    Optional<Axis> ofFamily(Operand operand, Axis family) {
        return operand.dims().stream().map(Dim::axis).filter(a -> graph.family(a).equals(family)).findFirst();
    }

    /** The units of a dimension that a rank has when the value lies in a layout. Not for axes whose ranges come from the step. */
    UnitList units(Dim dim, Layout layout, int rank) {
        List<Integer> splitting = layout.splitting(dim.axis());
        if (splitting.isEmpty()) {
            return UnitList.range(0, dim.extent());
        }
        AxisRule rule = rule(dim.axis()).orElseThrow();
        List<UnitList> parts = parts(dim, rule);
        var own = new ArrayList<UnitList>();
        for (int part = 0; part < parts.size(); part++) {
            if (matches(rule, part, splitting, rank)) {
                own.add(parts.get(part));
            }
        }
        return UnitList.merge(own);
    }

    /** How the units of a dimension are split: one list for each part of its rule, or one of all units without a rule over ranks. */
    List<UnitList> split(Dim dim) {
        Optional<AxisRule> rule = rule(dim.axis()).filter(r -> !dimensions(r).isEmpty());
        return rule.isEmpty() ? List.of(UnitList.range(0, dim.extent())) : parts(dim, rule.get());
    }

    /** Whether two ranks along some dimensions have a unit in common. */
    boolean overlaps(Dim dim, List<Integer> splitting) {
        AxisRule rule = rule(dim.axis()).orElseThrow();
        List<UnitList> parts = parts(dim, rule);
        int sum = parts.stream().mapToInt(UnitList::size).sum();
        return !splitting.isEmpty() && sum > UnitList.merge(parts).size();
    }

    private List<UnitList> parts(Dim dim, AxisRule rule) {
        var known = splits.get(new Key(dim.axis(), dim.extent()));
        if (known != null) {
            return known;
        }
        Derivation derivation = graph.derivations().get(dim.axis());
        List<UnitList> parts = derivation == null
                ? ask(rule, dim.axis(), dim.extent())
                : parts(derivation.from().of(Math.multiplyExact(dim.extent(), derivation.group())), rule).stream()
                        .map(derivation::derive)
                        .toList();
        splits.put(new Key(dim.axis(), dim.extent()), parts);
        return parts;
    }

    private List<UnitList> ask(AxisRule rule, Axis axis, int extent) {
        int parts = rule.over().stream().mapToInt(mesh::size).reduce(1, Math::multiplyExact);
        List<UnitList> split = rule.splitter()
                .split(new Splitter.Request(axis, extent, parts, blocks.quantum(axis), UnitCost.EQUAL));
        if (split.size() != parts || !UnitList.merge(split).equals(UnitList.range(0, extent))) {
            throw new CompileException(
                    "the rule for axis " + axis + " over " + rule.over() + " splits " + extent + " units into " + split
                            + "; expected " + parts + " parts that contain every unit");
        }
        return split;
    }

    /** Whether a part (the rule's first dimension outermost) stands where a rank does along the splitting dimensions. */
    private boolean matches(AxisRule rule, int part, List<Integer> splitting, int rank) {
        int rest = part;
        for (int i = rule.over().size() - 1; i >= 0; i--) {
            MeshDimension dimension = rule.over().get(i);
            int coordinate = rest % mesh.size(dimension);
            rest /= mesh.size(dimension);
            int number = placed.indexOf(dimension);
            if (number >= 0 && splitting.contains(number) && coordinate != mesh.coordinate(rank, dimension)) {
                return false;
            }
        }
        return true;
    }

    /** Whether an axis can be scattered over a dimension: a rule gives it that one, and its ranges are known without the step. */
    boolean scatters(Axis axis, int dimension) {
        return !Axes.ofTokens(axis) && rule(axis).map(r -> dimensions(r).equals(List.of(dimension))).orElse(false)
                || Axes.ofTokens(axis) && rule(axis).map(r -> dimensions(r).contains(dimension)).orElse(false);
    }
}
