package org.maniple.api.graph;

import java.util.List;
import org.maniple.api.tensor.DType;

/**
 * An activation: made by one operation in every step, read by others. Its first dimension is {@link Axes#TOKENS} or {@link Axes#ROWS}.
 *
 * @param id unique within the graph
 * @param name its name in listings
 * @param dtype {@link DType#F32}, or {@link DType#I32} for token ids
 * @param dims outermost first
 */
public record Value(int id, String name, DType dtype, List<Dim> dims) implements Operand {

    /** Copies the list and checks that no axis occurs twice. */
    public Value {
        dims = Dims.distinct(name, dims);
    }

    @Override
    public String toString() {
        return name;
    }
}
