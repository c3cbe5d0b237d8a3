package org.maniple.api.graph;

import java.util.List;

/**
 * A weight: immovable, placed by the axis rules alone.
 *
 * @param id unique within the graph
 * @param name its name in listings
 * @param dims outermost first, in the order in which ranks hold it in memory
 * @param source where its elements lie in the checkpoint
 */
public record Parameter(int id, String name, List<Dim> dims, TensorView source) implements Operand {

    /** Copies the list and checks that no axis occurs twice. */
    public Parameter {
        dims = Dims.distinct(name, dims);
    }

    @Override
    public String toString() {
        return name;
    }

    /** Of the number alone: others of the graph have other ones, and their parts are many. */
    @Override
    public int hashCode() {
        return id;
    }
}
