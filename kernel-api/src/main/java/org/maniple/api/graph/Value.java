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
 * @param choices 0 for an ordinary value. Otherwise the value is <em>ragged</em>: its first two dimensions are {@link Axes#TOKENS} and
 *     {@link Axes#EXPERTS}, it has a row for each pair of a token and one of the experts that were chosen for it, and this is how many are
 *     chosen for each token. A rank holds the rows of its own tokens and experts, ordered as
 *     {@link org.maniple.api.tensor.PairRows} says; the two dimensions are not part of a row's shape
 */
public record Value(int id, String name, DType dtype, List<Dim> dims, int choices) implements Operand {

    /** Copies the list and checks that no axis occurs twice. */
    public Value {
        dims = Dims.distinct(name, dims);
        boolean pairs = dims.size() > 1 && dims.get(0).axis().equals(Axes.TOKENS) && dims.get(1).axis().equals(Axes.EXPERTS);
        if (choices < 0 || choices > 0 && !pairs) {
            throw new IllegalArgumentException(name + " " + dims + " with " + choices + " choices for each token");
        }
    }

    /**
     * An ordinary value.
     *
     * @param id unique within the graph
     * @param name its name in listings
     * @param dtype the type of its elements
     * @param dims outermost first
     */
    public Value(int id, String name, DType dtype, List<Dim> dims) {
        this(id, name, dtype, dims, 0);
    }

    /**
     * Whether its rows are pairs of tokens and experts.
     *
     * @return whether they are
     */
    public boolean ragged() {
        return choices > 0;
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
