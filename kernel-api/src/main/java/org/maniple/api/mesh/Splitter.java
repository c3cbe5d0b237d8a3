package org.maniple.api.mesh;

import java.util.List;
import org.maniple.api.graph.Axis;
import org.maniple.api.tensor.UnitList;

/** Says which units of an axis each rank along the mesh dimensions of a rule has. Deterministic: every rank asks it. */
@FunctionalInterface
public interface Splitter {

    /**
     * What is to be split.
     *
     * @param axis the axis
     * @param units how many units it has
     * @param parts how many ranks they are split over: the product of the sizes of the rule's mesh dimensions, the first outermost
     * @param quantum boundaries should be multiples of it (blocks of quantised weights); 1 if any will do
     * @param cost of the units
     */
    record Request(Axis axis, int units, int parts, int quantum, UnitCost cost) {}

    /**
     * Splits the units.
     *
     * @param request what is to be split
     * @return one list for each part; together they contain every unit. A list may be empty, and a unit may be in several only if
     *     whoever uses the axis can deal with that
     * @throws SplitException if the configuration asks for something impossible
     */
    List<UnitList> split(Request request);
}
