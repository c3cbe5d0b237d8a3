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
 */
public record OpCall(Node node, List<Tensor> inputs, List<Tensor> outputs, Map<Axis, UnitList> units) {

    /** Copies the collections. */
    public OpCall {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        units = Map.copyOf(units);
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
