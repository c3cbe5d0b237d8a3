package org.maniple.kernel.program;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.maniple.api.graph.Axes;
import org.maniple.api.graph.Axis;
import org.maniple.api.graph.AxisSignature;
import org.maniple.api.graph.Dim;
import org.maniple.api.graph.ModelGraph;
import org.maniple.api.graph.Node;
import org.maniple.api.graph.Operand;
import org.maniple.api.graph.PartialKind;
import org.maniple.api.graph.Value;

/**
 * The plain rule for one operation: given how its inputs lie, how they have to lie, and how its outputs will.
 *
 * <p>On each dimension of the mesh either one family of axes is split, the same in all operands that have it, or nothing is. It is
 * the family that the operation's parameters and states are split by, since these cannot move; otherwise the one that its inputs are. Partial sums
 * are passed on by operations that are linear in them. What makes rows of experts, and what sums them, is placed by {@link ExpertPlacing}.
 */
final class NodePlacement {

    /** How an operation's operands lie. */
    record Choice(List<Layout> inputs, List<Layout> outputs) {}

    private final ModelGraph graph;
    private final UnitTable units;
    private final int dimensions;
    private final Node node;
    private final AxisSignature signature;
    private final List<Layout> current;
    private final AxisSignature.Linearity linearity;

    /**
     * @param exact whether partial sums are never passed on
     * @param current how the inputs lie now, in order
     */
    NodePlacement(ModelGraph graph, UnitTable units, int dimensions, boolean exact, Node node, List<Layout> current) {
        this.graph = graph;
        this.units = units;
        this.dimensions = dimensions;
        this.node = node;
        this.signature = node.signature();
        this.current = current;
        this.linearity = exact ? AxisSignature.Linearity.NONE : signature.linear();
    }

    Choice choose() {
        var inputs = new ArrayList<Layout>(current);
        var outputs = new ArrayList<Layout>();
        node.outputs().forEach(output -> outputs.add(Layout.whole(dimensions)));
        for (int dimension = 0; dimension < dimensions; dimension++) {
            if (!passPartial(dimension, inputs, outputs)) {
                place(dimension, inputs, outputs);
            }
        }
        return new Choice(inputs, outputs);
    }

    /** Passes partial sums on, if the operation is linear in what is partial here. */
    private boolean passPartial(int dimension, List<Layout> inputs, List<Layout> outputs) {
        if (!(current.getFirst().at(dimension) instanceof Placement.Partial partial) || partial.kind() != PartialKind.SUM) {
            return false;
        }
        boolean passes = switch (linearity) {
            case NONE -> false;
            case ALL -> current.stream().allMatch(layout -> layout.at(dimension).equals(partial));
            case FIRST -> true;
        };
        if (passes) {
            for (int i = 1; linearity == AxisSignature.Linearity.FIRST && i < inputs.size(); i++) {
                inputs.set(i, inputs.get(i).with(dimension, Placement.WHOLE));
            }
            outputs.replaceAll(output -> output.with(dimension, partial));
        }
        return passes;
    }

    private void place(int dimension, List<Layout> inputs, List<Layout> outputs) {
        resolvePartials(dimension, inputs);
        Optional<Axis> fixed = fixedFamily(dimension);
        Optional<Axis> family = fixed.isPresent() ? fixed : carriedFamily(dimension, inputs);
        for (int i = 0; i < inputs.size(); i++) {
            if (node.inputs().get(i) instanceof Value value) {
                Optional<Axis> axis = family.flatMap(f -> units.ofFamily(value, f));
                inputs.set(i, inputs.get(i).with(dimension, axis.<Placement>map(Placement.Split::new).orElse(Placement.WHOLE)));
            }
        }
        if (family.isPresent()) {
            for (int i = 0; i < outputs.size(); i++) {
                outputs.set(i, outputs.get(i).with(dimension, outputPlacement(family.get(), node.outputs().get(i), dimension)));
            }
        }
    }

    /**
     * A partial input is scattered onto an axis that a rule gives this dimension, if it has one, or else made whole. Rows of experts are ordered
     * by expert, so that those of some tokens do not follow each other: these are never scattered onto tokens.
     */
    private void resolvePartials(int dimension, List<Layout> inputs) {
        for (int i = 0; i < inputs.size(); i++) {
            if (inputs.get(i).at(dimension) instanceof Placement.Partial) {
                // Rows of experts are no tokens: they do not lie in a step's order.
                boolean ragged = node.inputs().get(i) instanceof Value value && value.ragged();
                Optional<Axis> scattered = node.inputs().get(i).dims().stream()
                        .map(Dim::axis)
                        .filter(axis -> !ragged || !Axes.ofTokens(axis))
                        .filter(axis -> units.scatters(axis, dimension))
                        .findFirst();
                inputs.set(i,
                        inputs.get(i).with(dimension, scattered.<Placement>map(Placement.Split::new).orElse(Placement.WHOLE)));
            }
        }
    }

    /** The family by which the operation's parameters and states are split over a dimension. */
    private Optional<Axis> fixedFamily(int dimension) {
        Optional<Axis> found = Optional.empty();
        for (int i = 0; i < current.size(); i++) {
            Operand operand = node.inputs().get(i);
            if (!(operand instanceof Value) && current.get(i).at(dimension) instanceof Placement.Split split) {
                Axis family = graph.family(split.axis());
                if (found.isPresent() && !found.get().equals(family)) {
                    throw new CompileException(
                            node + ": along mesh dimension " + dimension + " its parameters are split by " + found.get()
                                    + " and by " + family + "; one operation cannot have both");
                }
                found = Optional.of(family);
            }
        }
        if (found.isPresent() && !possible(found.get(), dimension)) {
            throw new CompileException(node + ": a parameter is split by " + found.get()
                    + ", over which the operation needs the whole or whose units several ranks share while it sums over them");
        }
        return found;
    }

    /** The first family that an input is split by over a dimension and that the operation can leave so. */
    private Optional<Axis> carriedFamily(int dimension, List<Layout> inputs) {
        for (Layout layout : inputs) {
            if (layout.at(dimension) instanceof Placement.Split split && possible(graph.family(split.axis()), dimension)) {
                return Optional.of(graph.family(split.axis()));
            }
        }
        return Optional.empty();
    }

    /**
     * Whether the operation can run with a family split: nothing needs it whole, no parameter or state that has it is whole, and every output has
     * it or sums over it.
     */
    private boolean possible(Axis family, int dimension) {
        boolean whole = signature.whole().stream().anyMatch(axis -> graph.family(axis).equals(family));
        for (int i = 0; i < current.size(); i++) {
            Operand operand = node.inputs().get(i);
            whole |= !(operand instanceof Value) && units.ofFamily(operand, family).isPresent()
                    && !(current.get(i).at(dimension) instanceof Placement.Split);
        }
        return !whole
                && (reduces(family, dimension) || node.outputs().stream().allMatch(o -> units.ofFamily(o, family).isPresent()));
    }

    /**
     * Whether the operation sums over a family, and no unit would be counted twice because two ranks have it. A row of an expert is on one rank,
     * also if the expert is on several.
     */
    private boolean reduces(Axis family, int dimension) {
        for (Operand input : node.inputs()) {
            for (Dim dim : input.dims()) {
                if (signature.reduced().contains(dim.axis()) && graph.family(dim.axis()).equals(family)) {
                    boolean onePlaceEach = dim.extent() == 0 || input instanceof Value value && value.ragged();
                    return onePlaceEach || !units.overlaps(dim, List.of(dimension));
                }
            }
        }
        return false;
    }

    private Placement outputPlacement(Axis family, Value output, int dimension) {
        return reduces(family, dimension)
                ? new Placement.Partial(signature.partial())
                : new Placement.Split(units.ofFamily(output, family).orElseThrow());
    }
}
