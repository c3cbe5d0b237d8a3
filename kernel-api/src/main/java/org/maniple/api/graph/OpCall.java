package org.maniple.api.graph;

import java.util.List;
import java.util.Map;
import org.maniple.api.tensor.Tensor;
import org.maniple.api.tensor.UnitList;

/**
 * An operation bound to this rank's memory. The tensors are the same in every step; only their rows change.
 *
 * @param node the operation and its operands on all ranks together
 * @param inputs this rank's pieces of the inputs: activations {@code [tokens, local units…]}, weights, states
 * @param outputs this rank's pieces of the outputs; contents undefined before the call
 * @param units for each axis of the operands, except those whose ranges come from the step, the units that this rank has in this
 *     operation
 * @param leaves empty if the operation may sum its elements in any fixed order. Otherwise the sum over a row's summed elements must be formed
 *     by leaves, whose ends (counted in this rank's summed elements, ascending, the last one their number) these are; their number is a power
 *     of two: each leaf's elements in ascending order by themselves, in an order that depends on the leaf's length alone, then the leaves
 *     pairwise as a balanced binary tree {@code ((0+1)+(2+3))+…}. So ranks that share a sum get together the bits of one that has it whole
 */
public record OpCall(Node node, List<Tensor> inputs, List<Tensor> outputs, Map<Axis, UnitList> units, List<Integer> leaves) {

    /** Copies the collections. */
    public OpCall {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        units = Map.copyOf(units);
        leaves = List.copyOf(leaves);
    }

    /**
     * An operation that may sum in any fixed order.
     *
     * @param node the operation and its operands
     * @param inputs this rank's pieces of the inputs
     * @param outputs this rank's pieces of the outputs
     * @param units the units that this rank has
     */
    public OpCall(Node node, List<Tensor> inputs, List<Tensor> outputs, Map<Axis, UnitList> units) {
        this(node, inputs, outputs, units, List.of());
    }

    /**
     * The operation.
     *
     * @return the operation
     */
    public Op op() {
        return node.op();
    }

    /**
     * An input's piece on this rank.
     *
     * @param index counted from 0
     * @return its tensor
     */
    public Tensor input(int index) {
        return inputs.get(index);
    }

    /**
     * An output's piece on this rank.
     *
     * @param index counted from 0
     * @return its tensor
     */
    public Tensor output(int index) {
        return outputs.get(index);
    }

    /**
     * The units of an axis that this rank has in this operation.
     *
     * @param axis an axis of an operand, not one whose ranges come from the step
     * @return the units
     */
    public UnitList units(Axis axis) {
        UnitList list = units.get(axis);
        if (list == null) {
            throw new IllegalArgumentException(node + " has no axis " + axis + " with units; it has " + units.keySet());
        }
        return list;
    }
}
