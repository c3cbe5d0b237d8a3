package org.maniple.api.graph;

import java.util.HashSet;
import java.util.List;

/** Checks of lists of dimensions. */
final class Dims {

    private Dims() {}

    static List<Dim> distinct(String name, List<Dim> dims) {
        var seen = new HashSet<Axis>();
        for (Dim dim : dims) {
            if (!seen.add(dim.axis())) {
                throw new IllegalArgumentException(name + " " + dims + " has the axis " + dim.axis() + " twice");
            }
        }
        return List.copyOf(dims);
    }
}
