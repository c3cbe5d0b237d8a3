package org.maniple.api.graph;

import java.util.List;

/**
 * An operation with its operands.
 *
 * @param index its place in the graph, counted from 0
 * @param layer the block that it belongs to; -1 before the first block, the number of blocks after the last
 * @param op the operation
 * @param inputs in the order that the operation defines
 * @param outputs in the order that the operation defines
 */
public record Node(int index, int layer, Op op, List<Operand> inputs, List<Value> outputs) {

    /** Copies the lists. */
    public Node {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    /**
     * What the operation does to the axes of its operands.
     *
     * @return the signature
     */
    public AxisSignature signature() {
        return op.signature(inputs, outputs);
    }

    @Override
    public String toString() {
        return op.name() + " " + inputs + " -> " + outputs;
    }

    /** Of the number alone: others of the graph have other ones, and their parts are many. */
    @Override
    public int hashCode() {
        return index;
    }
}
