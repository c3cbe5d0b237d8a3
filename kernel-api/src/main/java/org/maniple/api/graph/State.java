package org.maniple.api.graph;

import java.util.List;

/**
 * What is kept of a sequence from step to step, for example the keys of a layer. Immovable, placed by the axis rules alone. In a
 * rank's memory it is a tensor {@code [blocks × block size, dims after SEQS…]} of F32 or of BF16, or of I8 with a factor for each row of its last
 * dimension; {@link org.maniple.api.tensor.CachedRows} says how rows are rounded to that.
 *
 * @param id unique within the graph
 * @param name its name in listings
 * @param dims the first is {@link Dim#SEQS}, the others are the shape per position
 */
public record State(int id, String name, List<Dim> dims) implements Operand {

    /** Copies the list and checks that it begins with SEQS and that no axis occurs twice. */
    public State {
        dims = Dims.distinct(name, dims);
        if (dims.isEmpty() || !dims.getFirst().equals(Dim.SEQS)) {
            throw new IllegalArgumentException("state " + name + " must begin with the axis SEQS, not " + dims);
        }
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
