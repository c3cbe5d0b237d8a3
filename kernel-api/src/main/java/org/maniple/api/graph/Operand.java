package org.maniple.api.graph;

import java.util.List;

/** What an operation reads or writes. */
public sealed interface Operand permits Value, Parameter, State {

    /**
     * Its name in listings and errors.
     *
     * @return unique among the operands of its kind within a graph
     */
    String name();

    /**
     * Its dimensions on all ranks together.
     *
     * @return outermost first; an axis occurs at most once
     */
    List<Dim> dims();

    /**
     * Whether one of its dimensions has an axis.
     *
     * @param axis any axis
     * @return whether it has
     */
    default boolean has(Axis axis) {
        return dims().stream().anyMatch(d -> d.axis().equals(axis));
    }

    /**
     * The extent of an axis.
     *
     * @param axis an axis that it has
     * @return units on all ranks together
     */
    default int extent(Axis axis) {
        for (Dim dim : dims()) {
            if (dim.axis().equals(axis)) {
                return dim.extent();
            }
        }
        throw new IllegalArgumentException(name() + " " + dims() + " has no axis " + axis);
    }
}
